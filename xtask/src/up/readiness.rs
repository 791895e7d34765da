//! Waits until every service responds to HTTP, and prints what to try then.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use crate::run_template::AppPorts;

/// Delay between two probes.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// Timeout of a probe: a service that has accepted a connection may still be compiling.
const PROBE_TIMEOUT: Duration = Duration::from_secs(60);

/// Prints all addresses and what to try, once every service responds.
pub(crate) fn announce(address: IpAddr, apps: &[AppPorts], page_port: u16) {
    let probed = reachable(address);
    for app in apps {
        while !answers(SocketAddr::new(probed, app.app_port)) {
            thread::sleep(PROBE_INTERVAL);
        }
    }
    let host = if probed.is_loopback() { "localhost".to_owned() } else { SocketAddr::new(probed, 0).ip().to_string() };
    eprintln!("{}", table(&host, apps, page_port));
}

/// Formats all addresses, and what to try.
fn table(host: &str, apps: &[AppPorts], page_port: u16) -> String {
    const PAGE: &str = "the page";
    let width = apps.iter().map(|app| app.app_id.len()).max().unwrap_or(0).max(PAGE.len());
    let mut table = format!("\nEvery service answers.\n\n  {PAGE:width$}  http://{host}:{page_port}\n");
    for AppPorts { app_id, app_port, dapr_http_port } in apps {
        table.push_str(&format!(
            "  {app_id:width$}  http://{host}:{app_port}   Dapr API http://{host}:{dapr_http_port}\n"
        ));
    }
    if let Some(app) = apps.iter().find(|app| app.app_id == "image-api-grayscale") {
        let port = app.app_port;
        table.push_str(&format!(
            "\nOpen the page, or try in another terminal:\n  \
             curl http://{host}:{port}/grayscale --data-binary @docs/sample.jpg | base64 -d > gray.png\n"
        ));
    }
    table
}

/// Returns the address to probe: loopback for a server on all addresses.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    }
}

/// Returns true on any response, even an error: only a running service sends one.
fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PROBE_TIMEOUT))?;
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut begin = [0; 5];
        stream.read_exact(&mut begin)?;
        std::io::Result::Ok(begin == *b"HTTP/")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};

    use super::*;

    #[test]
    fn unspecified_address_is_probed_on_loopback() {
        assert_eq!(reachable("0.0.0.0".parse().unwrap()), IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(reachable("::".parse().unwrap()), IpAddr::V6(Ipv6Addr::LOCALHOST));
        assert_eq!(reachable("192.0.2.7".parse().unwrap()).to_string(), "192.0.2.7");
    }

    #[test]
    fn table_has_the_page_and_every_port() {
        let app = AppPorts { app_id: "a".to_owned(), app_port: 1, dapr_http_port: 2 };
        let table = table("h", &[app], 3);
        for address in ["the page  http://h:3", "a         http://h:1   Dapr API http://h:2"] {
            assert!(table.contains(address), "{table}");
        }
    }

    #[test]
    fn only_http_servers_respond() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for answer in ["HTTP/1.1 404 Not Found\r\n\r\n", "no idea what you mean"] {
                let (mut stream, _) = listener.accept().unwrap();
                // A connection that is closed with unread bytes is reset, and the response is lost.
                BufReader::new(&stream).lines().map(Result::unwrap).find(String::is_empty).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert!(answers(address));
        assert!(!answers(address));
        server.join().unwrap();
    }
}
