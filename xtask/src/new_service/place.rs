//! Registers a new service: workspace member, application and ports.

/// Returns the port after the highest used one.
pub(crate) fn free_port(taken: impl Iterator<Item = u16>) -> u16 {
    taken.max().unwrap_or(8999).saturating_add(1)
}

/// Adds a workspace member in alphabetical order.
pub(crate) fn with_member(manifest: &str, name: &str) -> Option<String> {
    let (head, rest) = manifest.split_once("members = [\n")?;
    let (members, tail) = rest.split_once("]\n")?;
    let mut members: Vec<String> = members.lines().map(str::to_owned).collect();
    members.push(format!("    \"{name}\","));
    members.sort();
    Some(format!("{head}members = [\n{}\n]\n{tail}", members.join("\n")))
}

/// An application of the run template.
pub(crate) struct Application<'a> {
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    pub(crate) dapr_port: u16,
    /// Directory of its module, relative to its own.
    pub(crate) modules: &'a str,
}

/// Appends an application to the run template.
pub(crate) fn with_app(template: &str, app: &Application<'_>) -> String {
    let Application { name, port, dapr_port, modules } = app;
    let template = template.trim_end();
    format!(
        "{template}
  - appID: {name}
    appDirPath: {name}
    appPort: {port}
    daprHTTPPort: {dapr_port}
    command: [\"wasmedge\", \"{modules}/{name}.wasm\"]
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_template::{AppPorts, ports};

    #[test]
    fn member_is_added_in_alphabetical_order() {
        let manifest = "[workspace]\nmembers = [\n    \"a\",\n    \"c\",\n]\n\n[profile.dev]\n";
        let expected = "[workspace]\nmembers = [\n    \"a\",\n    \"b\",\n    \"c\",\n]\n\n[profile.dev]\n";
        assert_eq!(with_member(manifest, "b").as_deref(), Some(expected));
        assert_eq!(with_member("[package]\n", "b"), None);
    }

    #[test]
    fn application_is_appended_with_its_ports() {
        let template = "apps:\n  - appID: a-b\n    appPort: 9005\n    daprHTTPPort: 3503\n";
        let [port, dapr_port] = [9005, 3503].map(|taken| free_port([taken].into_iter()));
        let template = with_app(template, &Application { name: "c-d", port, dapr_port, modules: "../wasm" });
        let expected = AppPorts { app_id: "c-d".to_owned(), app_port: 9006, dapr_http_port: 3504 };
        assert_eq!(ports(&template).last(), Some(&expected));
    }
}
