//! Checks that the ports are free before anything is built.

use std::net::{IpAddr, TcpListener};

use anyhow::{Result, bail};

use crate::run_template::{AppPorts, FILE};

/// Fails if a port is taken; lists all taken ones, and what they are for.
pub(super) fn check(address: IpAddr, apps: &[AppPorts], page_port: u16) -> Result<()> {
    let app_ports = apps.iter().flat_map(|app| {
        let AppPorts { app_id, app_port, dapr_http_port } = app;
        [(*app_port, format!("{app_id}, appPort")), (*dapr_http_port, format!("{app_id}, daprHTTPPort"))]
    });
    let page = [(page_port, "the page, --page-port".to_owned())];
    let taken: Vec<_> = app_ports.chain(page).filter_map(|(port, what)| taken(address, port, &what)).collect();
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        "ports are in use; end what has them, or change {FILE} (for the page: `-- --page-port PORT`):\n{}",
        taken.join("\n")
    )
}

fn taken(address: IpAddr, port: u16, what: &str) -> Option<String> {
    let error = TcpListener::bind((address, port)).err()?;
    let owner = port_owner::port_owner(port).map_or_else(|| error.to_string(), |owner| format!("{owner} has it"));
    Some(format!("  {port} ({what}): {owner}"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn taken_port_is_named_with_its_app() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let [taken, other] = [&held, &free].map(|listener| listener.local_addr().unwrap().port());
        drop(free);
        let app = |port| AppPorts { app_id: "a".to_owned(), app_port: port, dapr_http_port: other };
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let error = check(address, &[app(taken)], other).unwrap_err().to_string();
        assert!(error.contains(&format!("  {taken} (a, appPort): ")) && !error.contains("daprHTTPPort)"), "{error}");
        assert!(check(address, &[app(other)], other).is_ok());
    }
}
