//! Checks of single programs and their arguments.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use super::{Facts, Page, shell};
use crate::new_service::next_ports;
use crate::run_template::AppPorts;

/// Port of the page.
const PAGE_PORT: u16 = 8080;

/// Routes that each service has.
const COMMON_ROUTES: &[&str] = &["/", "/healthz"];

/// Values that are files or directories, in daprlet's reference.
const FILE_VALUES: &[&str] = &["FILE", "DIRECTORY", "PROVIDER"];

/// Flags whose file or directory is written.
const WRITTEN: &[&str] = &["-o", "--output", "--cache", "--registry"];

/// Directory of built modules, and of components in it.
const MODULES: &str = "wasm";
const COMPONENTS: &str = "components";

/// Suffix of a service's module or component with inference on the host.
const NN_SUFFIX: &str = "-nn";

/// Commands of one line.
struct Line<'a> {
    facts: &'a Facts<'a>,
    page: &'a mut Page,
    /// Leaves out values and files, where a placeholder such as `NAME` stands for them.
    only_flags: bool,
}

/// Returns the errors of a line; `is_text` is true for a command within a sentence.
pub(super) fn check_line(facts: &Facts<'_>, page: &mut Page, text: &str, is_text: bool) -> Vec<String> {
    let commands = match shell::parse(text) {
        Ok(commands) => commands,
        Err(error) => return vec![format!("{text}: {error}")],
    };
    let only_flags = is_text && commands.iter().flat_map(|command| &command.words).any(|word| is_placeholder(word));
    let mut line = Line { facts, page, only_flags };
    let mut errors = Vec::new();
    for command in commands {
        errors.extend(line.check(&command).err().map(|error| format!("{}: {error}", command.words.join(" "))));
    }
    errors
}

impl Line<'_> {
    fn check(&mut self, command: &shell::Command) -> Result<(), String> {
        command.reads.iter().try_for_each(|file| self.check_file(file))?;
        let Some((program, arguments)) = command.words.split_first() else { return Ok(()) };
        match program.as_str() {
            "base64" => {}
            "cargo" => self.check_cargo(arguments)?,
            "cd" => self.change_directory(arguments)?,
            "curl" => self.check_curl(arguments)?,
            "dapr" => self.check_dapr(arguments)?,
            "daprlet" => self.check_daprlet(arguments)?,
            "git" => self.clone(arguments)?,
            // Its flags are wasmtime's.
            "wasmtime" => self.check_modules(arguments)?,
            other => return Err(format!("nothing is known of {other}; mark the block `{}`", super::UNCHECKED)),
        }
        for file in &command.writes {
            self.write(file);
        }
        Ok(())
    }

    fn check_cargo(&mut self, arguments: &[String]) -> Result<(), String> {
        let (command, arguments) = arguments.split_first().ok_or("cargo alone does nothing")?;
        match command.as_str() {
            "xtask" => return self.check_xtask(arguments),
            "build" | "install" | "run" | "test" => {}
            other => return Err(format!("nothing is known of cargo {other}")),
        }
        for (flag, value) in arguments.iter().zip(arguments.iter().skip(1)) {
            match flag.as_str() {
                "-p" | "--package" if !self.only_flags => {
                    let created = self.page.created.iter().any(|app| app.app_id == *value);
                    if !created {
                        self.facts.workspace.package(value).map_err(|error| error.to_string())?;
                    }
                }
                "--path" => self.check_file(&format!("{value}/Cargo.toml"))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn check_xtask(&mut self, arguments: &[String]) -> Result<(), String> {
        let words = ["cargo xtask"].into_iter().chain(arguments.iter().map(String::as_str));
        if let Err(error) = crate::Cli::try_parse_from(words) {
            let is_fine = match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
                ErrorKind::InvalidValue | ErrorKind::ValueValidation => self.only_flags,
                _ => false,
            };
            if !is_fine {
                return Err(error.to_string().lines().next().unwrap_or_default().to_owned());
            }
        }
        let mut words = arguments.iter().map(String::as_str);
        // In a project of its own, a service has other ports.
        if words.next() == Some("new-service") && !arguments.iter().any(|it| it == "--project") && !self.only_flags {
            let apps: Vec<AppPorts> = self.apps().cloned().collect();
            let [app_port, dapr_http_port] = next_ports(&apps);
            let app_id = words.next().unwrap_or_default().to_owned();
            self.page.created.push(AppPorts { app_id, app_port, dapr_http_port });
        }
        Ok(())
    }

    fn check_daprlet(&mut self, arguments: &[String]) -> Result<(), String> {
        let parsed = self.facts.daprlet.arguments(arguments)?;
        if self.only_flags {
            return Ok(());
        }
        for (flag, value) in &parsed.flags {
            match value {
                Some((_, value)) if WRITTEN.contains(&flag.as_str()) => self.write(value),
                Some((name, value)) if FILE_VALUES.contains(&name.as_str()) => self.check_file(value)?,
                _ => {}
            }
        }
        self.check_modules(&parsed.others)?;
        let value = |names: [&str; 2]| {
            let found = parsed.flags.iter().find(|(flag, _)| names.contains(&flag.as_str()));
            found.and_then(|(_, value)| value.as_ref()).map(|(_, value)| value.as_str())
        };
        let app = value(["--app-id", "-a"]).and_then(|id| self.apps().find(|app| app.app_id == id));
        let Some(app) = app else { return Ok(()) };
        let ports =
            [(value(["--app-port", "-p"]), app.app_port), (value(["--dapr-http-port", "-H"]), app.dapr_http_port)];
        let wrong = ports.iter().find(|(given, port)| given.is_some_and(|given| given != port.to_string()));
        wrong.map_or(Ok(()), |(_, port)| Err(format!("dapr.yaml has port {port}")))
    }

    /// Checks a command of the Dapr CLI: daprlet has the flags of its `run`.
    fn check_dapr(&mut self, arguments: &[String]) -> Result<(), String> {
        match arguments.first().map(String::as_str) {
            Some("run") => self.check_daprlet(arguments),
            Some("init") if arguments.len() == 1 => Ok(()),
            _ => Err("only `dapr run` and `dapr init` are known".to_owned()),
        }
    }

    fn check_curl(&self, arguments: &[String]) -> Result<(), String> {
        let mut urls = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-d" | "--data" | "--data-binary" => {
                    let data = words.next().ok_or("data is missing")?;
                    data.strip_prefix('@').map_or(Ok(()), |file| self.check_file(file))?;
                }
                "-H" | "-X" => drop(words.next()),
                flag if flag.starts_with('-') => return Err(format!("nothing is known of curl's {flag}")),
                url => urls.push(url),
            }
        }
        let [url] = urls.as_slice() else { return Err("curl has one address".to_owned()) };
        let address = url.strip_prefix("http://").unwrap_or(url).strip_prefix("localhost:");
        let address = address.ok_or("the address is not on localhost")?;
        let (port, path) = address.split_once('/').unwrap_or((address, ""));
        let port: u16 = port.parse().map_err(|_| format!("{port} is no port"))?;
        let path = format!("/{}", path.split('?').next().unwrap_or_default());
        if port == PAGE_PORT {
            return Ok(());
        }
        if let Some(app) = self.apps().find(|app| app.app_port == port) {
            return self.check_route(&app.app_id, &path);
        }
        if !self.apps().any(|app| app.dapr_http_port == port) {
            return Err(format!("no app in dapr.yaml has port {port}"));
        }
        match path.strip_prefix("/v1.0/invoke/").and_then(|rest| rest.split_once("/method")) {
            Some((app, route)) => self.check_route(app, route),
            None if path.starts_with("/v1.0/") => Ok(()),
            None => Err(format!("Dapr's API has no {path}")),
        }
    }

    fn check_route(&self, app: &str, route: &str) -> Result<(), String> {
        let (routes, source) = if self.page.created.iter().any(|it| it.app_id == app) {
            (self.facts.template.as_str(), "template-service")
        } else {
            let row = format!("| `{app}` |");
            let row = self.facts.services.lines().find(|line| line.starts_with(&row));
            (row.ok_or_else(|| format!("the book lists no service {app}"))?, "the book's list of services")
        };
        let is_letter = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '/');
        let mut found = routes.match_indices(route).filter_map(|(at, _)| routes.get(at + route.len()..));
        let is_listed = COMMON_ROUTES.contains(&route) || found.any(|rest| !rest.starts_with(is_letter));
        if is_listed { Ok(()) } else { Err(format!("{source} has no route {route} of {app}")) }
    }

    fn clone(&mut self, arguments: &[String]) -> Result<(), String> {
        match arguments {
            [clone, address, directory] if clone == "clone" && address == shell::PLACEHOLDER => {
                self.write(directory);
                Ok(())
            }
            _ => Err("only `git clone` of the repository is known".to_owned()),
        }
    }

    fn change_directory(&mut self, arguments: &[String]) -> Result<(), String> {
        let [directory] = arguments else { return Err("cd has one directory".to_owned()) };
        let path = self.resolve(directory);
        // The clone is the repository.
        if self.page.written.contains(&path) {
            self.page.directory = PathBuf::new();
            return Ok(());
        }
        self.check_file(directory)?;
        self.page.directory = path;
        Ok(())
    }

    /// Checks that each module among the arguments exists or is built by a command.
    fn check_modules(&self, arguments: &[String]) -> Result<(), String> {
        arguments.iter().filter(|word| word.ends_with(".wasm")).try_for_each(|module| self.check_file(module))
    }

    fn check_file(&self, file: &str) -> Result<(), String> {
        let path = self.resolve(file);
        let exists = match path.strip_prefix(MODULES) {
            Ok(built) => built.as_os_str().is_empty() || built == Path::new(COMPONENTS) || self.builds(built),
            Err(_) => self.facts.repository.path(&path).exists(),
        };
        if exists || self.only_flags || self.page.written.contains(&path) {
            Ok(())
        } else {
            Err(format!("there is no {}", path.display()))
        }
    }

    /// Returns true for a file that `cargo xtask build-wasm` makes.
    fn builds(&self, file: &Path) -> bool {
        let workspace = &self.facts.workspace;
        let services: BTreeSet<&str> = workspace.services().map(|package| package.name.as_str()).collect();
        let (names, file) = match file.strip_prefix(COMPONENTS) {
            Ok(file) => (workspace.components().map(|package| package.name.as_str()).chain(services).collect(), file),
            Err(_) => (services, file),
        };
        let name = file.to_str().and_then(|file| file.strip_suffix(".wasm"));
        name.is_some_and(|name| names.contains(name.strip_suffix(NN_SUFFIX).unwrap_or(name)))
    }

    fn write(&mut self, file: &str) {
        self.page.written.insert(self.resolve(file));
    }

    /// Returns a path relative to the repository.
    fn resolve(&self, file: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for component in self.page.directory.join(file).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir if path.file_name().is_some() => drop(path.pop()),
                other => path.push(other),
            }
        }
        path
    }

    fn apps(&self) -> impl Iterator<Item = &AppPorts> {
        self.facts.apps.iter().chain(&self.page.created)
    }
}

/// Returns true for a word such as `NAME` or `FILE.tflite`.
fn is_placeholder(word: &str) -> bool {
    let name = word.split('.').next().unwrap_or_default();
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_uppercase())
}

#[cfg(test)]
mod tests;
