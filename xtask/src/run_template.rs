//! Reads the ports in `dapr.yaml` line by line: the file is ours, and daprlet parses it properly.

use std::fs;

use anyhow::{Context as _, Result};

use crate::repository::Repository;

/// The run template of the complete application.
pub(crate) const FILE: &str = "dapr.yaml";

/// Ports of one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppPorts {
    pub(crate) app_id: String,
    pub(crate) app_port: u16,
    pub(crate) dapr_http_port: u16,
}

/// Reads the repository's template.
pub(crate) fn read(repository: &Repository) -> Result<Vec<AppPorts>> {
    let text = fs::read_to_string(repository.path(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    Ok(ports(&text))
}

/// Finds the applications of a template with an id and both ports.
pub(crate) fn ports(template: &str) -> Vec<AppPorts> {
    let apps = template.split("- appID:").skip(1);
    apps.filter_map(|app| {
        let number = |key: &str| field(app, key)?.parse().ok();
        let app_id = app.lines().next()?.trim().to_owned();
        Some(AppPorts { app_id, app_port: number("appPort:")?, dapr_http_port: number("daprHTTPPort:")? })
    })
    .collect()
}

fn field<'a>(app: &'a str, key: &str) -> Option<&'a str> {
    app.lines().find_map(|line| line.trim_start().strip_prefix(key)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apps_without_ports_are_left_out() {
        let template = "apps:\n  - appID: a\n    appPort: 1\n    daprHTTPPort: 2\n  - appID: b\n    appPort: 3\n";
        assert_eq!(ports(template), [AppPorts { app_id: "a".to_owned(), app_port: 1, dapr_http_port: 2 }]);
    }
}
