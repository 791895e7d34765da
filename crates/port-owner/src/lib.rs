//! Finds the process that listens on a TCP port, for messages about ports that are taken.
//!
//! Linux lists listening sockets in `/proc/net/tcp`, and the sockets of each process in `/proc/PID/fd`; those of other
//! users are hidden. Other systems give no result.

use std::fs;
use std::path::Path;

/// State of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// Returns the process that listens on `port`, as `NAME (process ID)`, if the system shows it.
#[must_use]
pub fn port_owner(port: u16) -> Option<String> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening(&table, port))
        .collect();
    let entries = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    // Besides processes there are names such as `self`.
    let mut ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let folder = |id: u32| Path::new("/proc").join(id.to_string());
    let id = ids.find(|id| inodes.iter().any(|inode| has_socket(&folder(*id), *inode)))?;
    let name = fs::read_to_string(folder(id).join("comm")).ok()?;
    Some(format!("{} (process {id})", name.trim_end()))
}

/// Returns the inodes of the sockets in a table that listen on `port`.
fn listening(table: &str, port: u16) -> Vec<u64> {
    let is_port =
        |address: &str| address.rsplit_once(':').is_some_and(|(_, hex)| u16::from_str_radix(hex, 16) == Ok(port));
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let found = rows.filter_map(|row| match row.as_slice() {
        [_, local, _, LISTENING, _, _, _, _, _, inode, ..] if is_port(local) => inode.parse().ok(),
        _ => None,
    });
    found.collect()
}

fn has_socket(process: &Path, inode: u64) -> bool {
    let socket = format!("socket:[{inode}]");
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors
        .filter_map(Result::ok)
        .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == socket.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_listener_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if cfg!(target_os = "linux") {
            let owner = port_owner(port).unwrap();
            assert!(owner.ends_with(&format!("(process {})", std::process::id())), "{owner}");
        }
        drop(listener);
        assert_eq!(port_owner(port), None);
    }

    #[test]
    fn only_listening_rows_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:232D 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 71 1 0 100 0 0 10 0\n\
             1: 0100007F:232D 0100007F:0050 01 00000000:00000000 00:00000000 00000000  0  0 72 1 0 20 4 30 10 -1\n\
             2: 00000000:232E 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 73 1 0 100 0 0 10 0\n";
        assert_eq!(listening(table, 9005), [71]);
    }
}
