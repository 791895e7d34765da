//! Gives memory that is no longer needed back to the system.
//!
//! glibc keeps what was freed between two things that are still there, and after large buffers it keeps large ones. So large
//! buffers are mapped each by itself, and every 30 s the rest is given back where there is more of it than before.

use std::time::Duration;

/// The size from which a buffer is mapped by itself, in bytes.
const MAPPED_FROM: i32 = 256 << 10;

/// The time between two looks.
const PERIOD: Duration = Duration::from_secs(30);

/// The growth since the last look that is worth giving back, in bytes.
const WORTH: u64 = 8 << 20;

/// Starts giving memory back.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn give_back() -> std::io::Result<()> {
    map_large_buffers();
    // It ends with the process.
    std::thread::Builder::new().name("memory".into()).spawn(watch)?;
    Ok(())
}

fn watch() {
    let mut least = resident();
    loop {
        std::thread::sleep(PERIOD);
        if resident() >= least.saturating_add(WORTH) {
            trim();
            least = resident();
        } else {
            least = least.min(resident());
        }
    }
}

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.map_or(0, |kib: u64| kib << 10)
}

#[expect(unsafe_code, reason = "a setting of the C library that has no other door")]
fn map_large_buffers() {
    // SAFETY: it may be called at any time, and changes only how later buffers are made.
    if unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM) } == 0 {
        tracing::debug!("large buffers are not mapped by themselves");
    }
}

#[expect(unsafe_code, reason = "a function of the C library that has no other door")]
fn trim() {
    // SAFETY: it may be called at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_given_back() {
        map_large_buffers();
        let before = resident();
        let large = vec![7_u8; 64 << 20];
        // Small ones stay behind the large one.
        let small: Vec<_> = (0..1000).map(|_| vec![7_u8; 64 << 10]).collect();
        assert!(resident() > before + (100 << 20), "{before}");
        drop((std::hint::black_box(large), std::hint::black_box(small)));
        trim();
        assert!(resident() < before + (16 << 20), "{before}, then {}", resident());
    }
}
