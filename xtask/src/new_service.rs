//! `cargo xtask new-service`: creates a minimal service from the template.

mod name;
mod place;
mod project;
mod subscription;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::repository::{Repository, TEMPLATE, run};
use crate::run_template::{self, AppPorts};
use name::Name;
use subscription::Topic;

/// All files of the template.
const TEMPLATE_FILES: [&str; 4] = ["Cargo.toml", "src/lib.rs", "src/main.rs", "src/tests.rs"];

/// Source lines with the template's ports.
const TEMPLATE_PORTS: [&str; 2] = ["const PORT: u16 = 9000;", "const DAPR_HTTP_PORT: u16 = 3500;"];

/// Creates a service: a directory with a library, a thin program and tests, an entry in dapr.yaml with free ports, and
/// a workspace member
#[derive(Args)]
pub(crate) struct NewService {
    /// Name of the service, such as `image-api-resize`; also the directory, the package and the Dapr app id
    name: Name,

    /// A project outside this repository, created if it does not exist; its services depend on the crates of this
    /// repository by path
    #[arg(long, value_name = "DIRECTORY")]
    project: Option<PathBuf>,

    /// A topic that the service subscribes to, at the broker `messages`; without one in `config/`, a broker is added
    #[arg(long, value_name = "TOPIC")]
    subscribe: Option<Topic>,
}

impl NewService {
    pub(crate) fn run(&self, repository: &Repository) -> Result<()> {
        match &self.project {
            Some(folder) => self.run_outside(repository, folder),
            None => self.run_inside(repository),
        }
    }

    fn run_outside(&self, repository: &Repository, folder: &Path) -> Result<()> {
        let name = &self.name;
        ensure!(!folder.join(name.as_str()).exists(), "there is a `{name}` in {} already", folder.display());
        project::make(repository, folder)?;
        let project = Repository::new(Some(folder.to_owned()));
        let apps = run_template::read(&project)?;
        let port = place::free_port(apps.iter().map(|app| app.app_port));
        let dapr_port = place::free_port(apps.iter().map(|app| app.dapr_http_port).chain([3499]));
        copy_template(repository, &project, name, [port, dapr_port])?;
        self.add_subscription(&project)?;
        edit(&project, &format!("{name}/Cargo.toml"), |text| {
            text.strip_suffix("\n[lints]\nworkspace = true\n").map(str::to_owned)
        })?;
        edit(&project, "Cargo.toml", |text| place::with_member(text, name.as_str()))?;
        let app = place::Application { name: name.as_str(), port, dapr_port, modules: project::MODULES };
        edit(&project, run_template::FILE, |text| Some(place::with_app(text, &app)))?;
        eprintln!(
            "{} is in place. Next, in {}:\n  \
             cargo test\n  \
             cargo build --target wasm32-wasip1 --profile wasm\n  \
             daprlet run -f dapr.yaml\n  \
             curl http://localhost:{dapr_port}/v1.0/invoke/{name}/method/note -d 'buy milk'\n  \
             curl http://localhost:{port}/note{}",
            folder.join(name.as_str()).display(),
            folder.display(),
            self.publishing(dapr_port),
        );
        Ok(())
    }

    fn run_inside(&self, repository: &Repository) -> Result<()> {
        let name = &self.name;
        let taken = repository.workspace()?.packages.iter().any(|package| package.name == name.as_str());
        let folder = repository.path(name.as_str());
        ensure!(!taken && !folder.exists(), "there is a `{name}` already");

        let apps = run_template::read(repository)?;
        ensure!(apps.iter().all(|app| app.app_id != name.as_str()), "dapr.yaml has an application `{name}` already");
        let [port, dapr_port] = next_ports(&apps);

        copy_template(repository, repository, name, [port, dapr_port])?;
        self.add_subscription(repository)?;
        edit(repository, "Cargo.toml", |text| place::with_member(text, name.as_str()))?;
        let app = place::Application { name: name.as_str(), port, dapr_port, modules: "../wasm" };
        edit(repository, run_template::FILE, |text| Some(place::with_app(text, &app)))?;
        // Adds the new package to the lock file, which already has all its dependencies.
        run(&mut repository.cargo(&["update", "--workspace", "--offline", "--quiet"]))?;
        eprintln!(
            "{name}/ is in place. Next:\n  \
             cargo test -p {name}\n  \
             cargo xtask up\n  \
             curl http://localhost:{dapr_port}/v1.0/invoke/{name}/method/note -d 'buy milk'\n  \
             curl http://localhost:{port}/note{}",
            self.publishing(dapr_port),
        );
        Ok(())
    }

    /// Adds the subscription to a copied template, if one is asked for.
    fn add_subscription(&self, project: &Repository) -> Result<()> {
        let (Some(topic), name) = (&self.subscribe, &self.name) else { return Ok(()) };
        edit(project, &format!("{name}/src/lib.rs"), |text| topic.add_to_library(text))?;
        edit(project, &format!("{name}/src/tests.rs"), |text| Some(topic.add_to_tests(text)))?;
        subscription::add_broker(project, name.as_str())
    }

    /// Returns a command that publishes to the service's topic, if it has one.
    fn publishing(&self, dapr_port: u16) -> String {
        let Some(topic) = &self.subscribe else { return String::new() };
        let topic = topic.as_str();
        format!(
            "\n  curl http://localhost:{dapr_port}/v1.0/publish/messages/{topic} -H 'content-type: text/plain' -d 'buy bread'"
        )
    }
}

/// Returns the ports of the next service in the repository: its own, and Dapr's.
pub(crate) fn next_ports(apps: &[AppPorts]) -> [u16; 2] {
    let port = place::free_port(apps.iter().map(|app| app.app_port));
    [port, place::free_port(apps.iter().map(|app| app.dapr_http_port))]
}

/// Copies the template's files into `project`, with the new service's name and ports.
fn copy_template(repository: &Repository, project: &Repository, name: &Name, ports: [u16; 2]) -> Result<()> {
    for file in TEMPLATE_FILES {
        let from = repository.path(TEMPLATE).join(file);
        let text = fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
        let mut text =
            text.replace(TEMPLATE, name.as_str()).replace(&TEMPLATE.replace('-', "_"), &name.as_identifier());
        for (line, port) in TEMPLATE_PORTS.iter().zip(ports) {
            let (begin, _) = line.split_once("= ").context("a port is given")?;
            text = text.replace(line, &format!("{begin}= {port};"));
        }
        let to = project.path(name.as_str()).join(file);
        let folder = to.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&to, text))
            .with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

fn edit(repository: &Repository, file: &str, edit: impl FnOnce(&str) -> Option<String>) -> Result<()> {
    let path = repository.path(file);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
    let edited = edit(&text).with_context(|| format!("{file} does not look as it used to"))?;
    fs::write(&path, edited).with_context(|| format!("cannot write {file}"))
}
