//! Returns unused memory to the system.
//!
//! glibc keeps freed memory between live allocations, and large buffers raise its threshold for keeping more. So large
//! buffers are mapped individually, and every 30 s unused memory is trimmed if the process has grown.

use std::time::Duration;

/// Size from which a buffer is mapped individually, in bytes.
const MMAP_THRESHOLD: i32 = 256 << 10;

/// Time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Growth since the last check that makes trimming worthwhile, in bytes.
const MIN_GROWTH: u64 = 8 << 20;

/// Starts the thread that returns unused memory.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn start_trimming() -> std::io::Result<()> {
    map_large_buffers();
    // The thread ends with the process.
    std::thread::Builder::new().name("memory".into()).spawn(watch)?;
    Ok(())
}

fn watch() {
    let mut least = resident();
    loop {
        std::thread::sleep(CHECK_INTERVAL);
        if resident() >= least.saturating_add(MIN_GROWTH) {
            trim();
            least = resident();
        } else {
            least = least.min(resident());
        }
    }
}

/// Returns the resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.map_or(0, |kib: u64| kib << 10)
}

#[expect(unsafe_code, reason = "a setting of the C library that has no safe interface")]
fn map_large_buffers() {
    // SAFETY: mallopt may be called at any time, and only affects later allocations.
    if unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD) } == 0 {
        tracing::debug!("cannot map large buffers individually");
    }
}

#[expect(unsafe_code, reason = "a function of the C library that has no safe interface")]
fn trim() {
    // SAFETY: malloc_trim may be called at any time, from any thread.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_returned_to_system() {
        map_large_buffers();
        let before = resident();
        let large = vec![7_u8; 64 << 20];
        // The small buffers are allocated after the large one, and so lie behind it.
        let small: Vec<_> = (0..1000).map(|_| vec![7_u8; 64 << 10]).collect();
        assert!(resident() > before + (100 << 20), "{before}");
        drop((std::hint::black_box(large), std::hint::black_box(small)));
        trim();
        assert!(resident() < before + (16 << 20), "{before}, then {}", resident());
    }
}
