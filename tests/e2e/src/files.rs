//! The files of a deployment.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::wasm;

/// Options of a deployment.
#[derive(Clone)]
pub struct Options {
    /// Secrets file; by default the database is SQLite.
    pub secrets: serde_json::Value,
    /// Directory of the classify service's model.
    pub model: Option<PathBuf>,
    /// Settings of all three services, `NAME=VALUE`.
    pub settings: Vec<String>,
    /// Additional flags of `daprlet run`.
    pub arguments: Vec<String>,
    /// Component files that replace or extend the default ones: name and text.
    pub components: Vec<(String, String)>,
    /// True if the services are components instead of WasmEdge modules.
    pub as_components: bool,
    /// Additional entries of the run template's `apps`, as YAML. `appDirPath: more` is a directory for them.
    pub more_apps: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            secrets: json!({ "DB_URL": { "MYSQL": "sqlite:events" } }),
            model: None,
            settings: Vec::new(),
            arguments: Vec::new(),
            components: Vec::new(),
            as_components: false,
            more_apps: String::new(),
        }
    }
}

/// Ports of the services and their Dapr APIs.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Port of the grayscale service.
    pub grayscale: u16,
    /// Dapr port of the grayscale service.
    pub grayscale_dapr: u16,
    /// Port of the classify service.
    pub classify: u16,
    /// Dapr port of the classify service.
    pub classify_dapr: u16,
    /// Port of the events service.
    pub events: u16,
    /// Dapr port of the events service.
    pub events_dapr: u16,
}

/// Finds free ports that this process has not returned before.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn free_ports<const N: usize>() -> [u16; N] {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // A port returned before stays bound here, so that the system chooses another one.
    let mut held = Vec::new();
    std::array::from_fn(|_| {
        loop {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            held.push(listener);
            if given.insert(port) {
                return port;
            }
        }
    })
}

impl Ports {
    /// Chooses free ports.
    pub(crate) fn free() -> Self {
        let [grayscale, grayscale_dapr, classify, classify_dapr, events, events_dapr] = free_ports();
        Self { grayscale, grayscale_dapr, classify, classify_dapr, events, events_dapr }
    }

    /// Returns the ports of the Dapr APIs.
    #[must_use]
    pub fn dapr(&self) -> [u16; 3] {
        [self.grayscale_dapr, self.classify_dapr, self.events_dapr]
    }
}

pub(crate) fn write(folder: &Path, ports: &Ports, options: &Options) {
    let config = folder.join("config");
    fs::create_dir_all(&config).expect("a folder");
    fs::create_dir_all(folder.join("data")).expect("a folder");
    fs::create_dir_all(folder.join("more")).expect("a folder");
    let app = |id: &str, port: u16, dapr_port: u16, flags: &str| {
        fs::create_dir_all(folder.join(id)).expect("a folder");
        let mut command = vec!["wasmedge".to_owned()];
        command.extend(flags.split_whitespace().map(str::to_owned));
        let ports = [format!("APP_PORT={port}"), format!("DAPR_HTTP_PORT={dapr_port}")];
        command.extend(ports.iter().chain(&options.settings).flat_map(|it| ["--env".to_owned(), it.clone()]));
        let file = if options.as_components { format!("components/{id}") } else { id.to_owned() };
        command.push(wasm(&file).display().to_string());
        json!({ "appID": id, "appDirPath": id, "appPort": port, "daprHTTPPort": dapr_port, "command": command })
    };
    let model = options.model.as_ref().map(|model| format!("--dir model:{}", model.display())).unwrap_or_default();
    let apps = [
        app("image-api-grayscale", ports.grayscale, ports.grayscale_dapr, ""),
        app("image-api-classify", ports.classify, ports.classify_dapr, &model),
        app("events-service", ports.events, ports.events_dapr, ""),
    ];
    // JSON is valid YAML.
    let apps: String = apps.iter().map(|app| format!("- {app}\n")).collect();
    let template = format!("version: 1\ncommon:\n  resourcesPath: config\napps:\n{apps}{}", options.more_apps);
    put(&folder.join("dapr.yaml"), &template);
    put(&config.join("secrets.json"), &options.secrets.to_string());
    let own = crate::repository().join("config");
    for file in fs::read_dir(own).expect("the project's config").filter_map(Result::ok).map(|entry| entry.path()) {
        if file.extension().is_some_and(|extension| extension == "yaml") {
            // Tests should not wait five seconds for a delivery.
            let text = fs::read_to_string(&file).expect("a component").replace("@every 5s", "@every 1s");
            put(&config.join(file.file_name().expect("a name")), &text);
        }
    }
    for (name, text) in &options.components {
        put(&config.join(name), text);
    }
}

fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
