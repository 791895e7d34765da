//! Run templates: `dapr/cli/pkg/runfileconfig`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config_error::{ConfigError, ConfigErrors};
use crate::document::{self, Names, Reader};
use crate::size;

/// A run template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTemplate {
    /// Applications, in source order.
    pub apps: Vec<AppEntry>,
    /// Fields that have no effect.
    pub warnings: Vec<ConfigError>,
}

/// Destination of an application's log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogDestination {
    /// Standard output, together with the lines of other applications.
    #[default]
    Console,
    /// A file of its own in `.dapr/logs` in the application's directory.
    File,
    /// Both.
    FileAndConsole,
}

/// One application of a run template, with common settings merged in and all paths absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppEntry {
    /// `appID`; defaults to the directory's name.
    pub app_id: String,
    /// `appDirPath`.
    pub app_dir: PathBuf,
    /// `appPort`.
    pub app_port: Option<u16>,
    /// `daprHTTPPort`.
    pub dapr_http_port: Option<u16>,
    /// `command`.
    pub command: Vec<String>,
    /// `env`; common variables come first.
    pub env: Vec<(String, String)>,
    /// Directories of its Component YAML.
    pub resources_paths: Vec<PathBuf>,
    /// Its Configuration files.
    pub config_files: Vec<PathBuf>,
    /// `maxBodySize`, in bytes.
    pub max_body_size: Option<u64>,
    /// `readBufferSize`, in bytes: the limit on the size of a request's headers.
    pub read_buffer_size: Option<u64>,
    /// `appMaxConcurrency`.
    pub app_max_concurrency: Option<u32>,
    /// `appLogDestination`.
    pub app_log_destination: LogDestination,
    /// `logLevel`.
    pub log_level: Option<String>,
    /// `enableApiLogging`.
    pub api_logging: bool,
    /// `enableAppHealthCheck` and related fields.
    pub health_check: HealthCheckFields,
    /// Position of the application, as `FILE:LINE`.
    pub origin: String,
}

/// Settings of application health probes; `None` where absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheckFields {
    /// `enableAppHealthCheck`.
    pub enabled: Option<bool>,
    /// `appHealthCheckPath`.
    pub path: Option<String>,
    /// `appHealthProbeInterval`, in seconds.
    pub interval: Option<u64>,
    /// `appHealthProbeTimeout`, in milliseconds.
    pub timeout: Option<u64>,
    /// `appHealthThreshold`: consecutive failures.
    pub threshold: Option<u32>,
}

impl HealthCheckFields {
    fn read(reader: &mut Reader<'_>, errors: &mut ConfigErrors) -> Self {
        const ENABLED: &str = "enableAppHealthCheck";
        Self {
            enabled: reader.node(ENABLED).is_some().then(|| reader.flag(ENABLED, errors)),
            path: reader.text("appHealthCheckPath", errors).filter(|path| !path.is_empty()),
            interval: reader.number("appHealthProbeInterval", errors),
            timeout: reader.number("appHealthProbeTimeout", errors),
            threshold: reader.number("appHealthThreshold", errors),
        }
    }

    /// Fills absent settings from `common`.
    fn or(self, common: &Self) -> Self {
        Self {
            enabled: self.enabled.or(common.enabled),
            path: self.path.or_else(|| common.path.clone()),
            interval: self.interval.or(common.interval),
            timeout: self.timeout.or(common.timeout),
            threshold: self.threshold.or(common.threshold),
        }
    }
}

/// Fields that configure `daprd` or containers and have no meaning in one process.
const WITHOUT_EFFECT: &[&str] = &[
    "apiListenAddresses",
    "appChannelAddress",
    "containerImage",
    "containerImagePullPolicy",
    "createService",
    "daprGRPCPort",
    "daprInternalGRPCPort",
    "daprdLogDestination",
    "enableProfiling",
    "metricsPort",
    "placementHostAddress",
    "profilePort",
    "runtimePath",
    "schedulerHostAddress",
    "unixDomainSocket",
];

/// Limit on the length of an application id: that of a DNS label.
const MAX_APP_ID_LENGTH: usize = 63;

/// Settings that applications can share.
#[derive(Default)]
struct Shared {
    env: Vec<(String, String)>,
    resources: Vec<PathBuf>,
    config: Option<PathBuf>,
    max_body_size: Option<u64>,
    read_buffer_size: Option<u64>,
    app_max_concurrency: Option<u32>,
    app_log_destination: Option<LogDestination>,
    log_level: Option<String>,
    api_logging: Option<bool>,
    health_check: HealthCheckFields,
}

/// Base directories for paths in a template.
struct Directories<'a> {
    /// Directory of the template.
    template: PathBuf,
    /// Directory that `~` stands for.
    home: Option<&'a Path>,
}

impl Directories<'_> {
    /// Resolves the path `text` relative to `directory`, or to the home directory if it begins with `~`.
    fn resolve(&self, directory: &Path, text: &str) -> PathBuf {
        let in_home = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        match (in_home, self.home) {
            (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
            _ => directory.join(text),
        }
    }
}

/// Loads the template `path`, `dapr.yaml` in the directory `path`, or standard input for `-`.
///
/// `home` is the directory that `~` stands for.
///
/// # Errors
/// All errors in the template.
pub fn load(path: &Path, home: Option<&Path>) -> Result<RunTemplate, ConfigErrors> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| ConfigError::new("standard input", error.to_string()))?;
        let directory = std::path::absolute(".").map_err(|error| ConfigError::new(".", error.to_string()))?;
        return read_template("standard input", &text, &Directories { template: directory, home });
    }
    let path = if path.is_dir() { path.join("dapr.yaml") } else { path.to_owned() };
    let file = path.display().to_string();
    let absolute = std::path::absolute(&path).map_err(|error| ConfigError::new(&file, error.to_string()))?;
    let template = absolute.parent().unwrap_or(Path::new("/")).to_owned();
    read_template(&file, &document::text(&path)?, &Directories { template, home })
}

fn read_template(file: &str, text: &str, directories: &Directories<'_>) -> Result<RunTemplate, ConfigErrors> {
    let documents = document::parse(file, text)?;
    let [document] = documents.as_slice() else {
        return Err(ConfigError::new(file, "a run template is one document").into());
    };
    let mut errors = ConfigErrors::default();
    let mut apps = Vec::new();
    if let Some(mut root) = Reader::new(document, Names::Exact, &mut errors) {
        if root.number::<u32>("version", &mut errors) != Some(1) {
            root.reject("version", "must be 1", &mut errors);
        }
        root.ignore(&["name"]);
        let common = root.mapping("common", &mut errors).map_or_else(Shared::default, |mut common| {
            let shared = read_shared(&mut common, &directories.template, directories, &mut errors);
            common.finish(&mut errors);
            shared
        });
        for app in root.mappings("apps", &mut errors) {
            apps.extend(read_app(app, directories, &common, &mut errors));
        }
        if apps.is_empty() {
            root.reject("apps", "there are none", &mut errors);
        }
        root.finish(&mut errors);
    }
    same_twice(&apps, &mut errors);
    errors.into_result().map(|warnings| RunTemplate { apps, warnings })
}

fn read_shared(
    reader: &mut Reader<'_>,
    directory: &Path,
    directories: &Directories<'_>,
    errors: &mut ConfigErrors,
) -> Shared {
    reader.without_effect(WITHOUT_EFFECT, errors);
    if let Some(protocol) = reader.text("appProtocol", errors).filter(|it| !it.is_empty() && it != "http") {
        let message = format!("is {protocol}, but daprlet only supports http to applications so far");
        reader.reject("appProtocol", message, errors);
    }
    if reader.flag("appSSL", errors) {
        reader.reject("appSSL", "daprlet does not support TLS to applications yet", errors);
    }
    let mut resources = reader.texts("resourcesPaths", errors);
    resources.extend(reader.text("resourcesPath", errors).filter(|path| !path.is_empty()));
    let config = reader.text("configFilePath", errors).filter(|path| !path.is_empty());
    let max_body_size = read_size(reader, "maxBodySize", 1 << 20, errors);
    let read_buffer_size = read_size(reader, "readBufferSize", 1 << 10, errors);
    let app_log_destination = read_log_destination(reader, errors);
    let api_logging = reader.node("enableApiLogging").is_some().then(|| reader.flag("enableApiLogging", errors));
    Shared {
        env: reader.pairs("env", errors),
        resources: resources.iter().map(|path| directories.resolve(directory, path)).collect(),
        config: config.map(|path| directories.resolve(directory, &path)),
        max_body_size,
        read_buffer_size,
        app_max_concurrency: reader.number("appMaxConcurrency", errors),
        app_log_destination,
        log_level: reader.text("logLevel", errors).filter(|level| !level.is_empty()),
        api_logging,
        health_check: HealthCheckFields::read(reader, errors),
    }
}

fn read_log_destination(reader: &mut Reader<'_>, errors: &mut ConfigErrors) -> Option<LogDestination> {
    const FIELD: &str = "appLogDestination";
    match reader.text(FIELD, errors)?.as_str() {
        "" => None,
        "console" => Some(LogDestination::Console),
        "file" => Some(LogDestination::File),
        "fileAndConsole" => Some(LogDestination::FileAndConsole),
        other => {
            reader.reject(FIELD, format!("is {other:?}, but must be console, file or fileAndConsole"), errors);
            None
        }
    }
}

/// Checks an application id: Dapr rejects dots, which separate a namespace, and service names are DNS labels.
///
/// # Errors
/// Why the id is invalid.
pub fn check_app_id(id: &str) -> Result<(), String> {
    let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if id.is_empty() {
        Err("is empty".to_owned())
    } else if id.len() > MAX_APP_ID_LENGTH {
        Err(format!("is longer than {MAX_APP_ID_LENGTH} characters"))
    } else if id.contains('.') {
        Err(format!("is {id:?}, but an app id cannot contain dots"))
    } else if !id.chars().all(is_name) {
        Err(format!("is {id:?}, but an app id is made of letters, digits, - and _"))
    } else {
        Ok(())
    }
}

fn read_size(reader: &mut Reader<'_>, field: &'static str, bare: u64, errors: &mut ConfigErrors) -> Option<u64> {
    let size = size::parse(&reader.text(field, errors)?, bare);
    size.map_err(|why| reader.reject(field, why, errors)).ok()
}

fn read_app(
    mut reader: Reader<'_>,
    directories: &Directories<'_>,
    common: &Shared,
    errors: &mut ConfigErrors,
) -> Option<AppEntry> {
    let origin = reader.place();
    let dir_text = reader.required("appDirPath", errors);
    let app_dir = directories.resolve(&directories.template, &dir_text);
    if !dir_text.is_empty() && !app_dir.is_dir() {
        reader.reject("appDirPath", format!("there is no directory {}", app_dir.display()), errors);
    }
    // An application's own paths are relative to its directory, common ones to the template's.
    let own = read_shared(&mut reader, &app_dir, directories, errors);
    let named = reader.text("appID", errors).filter(|id| !id.is_empty());
    let app_id = named.or_else(|| app_dir.components().next_back()?.as_os_str().to_str().map(str::to_owned))?;
    if let Err(why) = check_app_id(&app_id) {
        reader.reject("appID", why, errors);
    }
    let mut env = common.env.clone();
    env.retain(|(name, _)| !own.env.iter().any(|(other, _)| other == name));
    env.extend(own.env);
    let fallback = |own: &str, common: Vec<PathBuf>, is_there: fn(&Path) -> bool| {
        let path = app_dir.join(own);
        if is_there(&path) { vec![path] } else { common }
    };
    let resources_paths = if own.resources.is_empty() {
        fallback(".dapr/resources", common.resources.clone(), Path::is_dir)
    } else {
        own.resources
    };
    let config_files = match own.config {
        Some(file) => vec![file],
        None => fallback(".dapr/config.yaml", common.config.iter().cloned().collect(), Path::is_file),
    };
    let entry = AppEntry {
        app_id,
        app_port: reader.number("appPort", errors).filter(|port| *port != 0),
        dapr_http_port: reader.number("daprHTTPPort", errors).filter(|port| *port != 0),
        command: reader.texts("command", errors),
        env,
        resources_paths,
        config_files,
        max_body_size: own.max_body_size.or(common.max_body_size),
        read_buffer_size: own.read_buffer_size.or(common.read_buffer_size),
        app_max_concurrency: own.app_max_concurrency.or(common.app_max_concurrency),
        app_log_destination: own.app_log_destination.or(common.app_log_destination).unwrap_or_default(),
        log_level: own.log_level.or_else(|| common.log_level.clone()),
        api_logging: own.api_logging.or(common.api_logging).unwrap_or_default(),
        health_check: own.health_check.or(&common.health_check),
        app_dir,
        origin,
    };
    reader.finish(errors);
    Some(entry)
}

/// Reports application ids and ports that are used twice.
fn same_twice(apps: &[AppEntry], errors: &mut ConfigErrors) {
    for (index, app) in apps.iter().enumerate() {
        for earlier in apps.iter().take(index) {
            if earlier.app_id == app.app_id {
                let message = format!("appID {:?} is taken already, at {}", app.app_id, earlier.origin);
                errors.push(ConfigError::new(&app.origin, message));
            }
            let ports = |app: &AppEntry| [app.app_port, app.dapr_http_port];
            let taken = ports(app).into_iter().flatten().find(|port| ports(earlier).contains(&Some(*port)));
            if let Some(port) = taken {
                let message = format!("port {port} is taken already by {:?}, at {}", earlier.app_id, earlier.origin);
                errors.push(ConfigError::new(&app.origin, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str) -> Result<RunTemplate, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/.dapr/resources")).unwrap();
        std::fs::create_dir_all(folder.path().join("b")).unwrap();
        std::fs::write(folder.path().join("dapr.yaml"), yaml).unwrap();
        let place = format!("{}/", folder.path().display());
        let strip = |path: &mut PathBuf| *path = path.strip_prefix(folder.path()).unwrap_or(path).to_owned();
        let mut template =
            load(folder.path(), Some(Path::new("/me"))).map_err(|errors| errors.to_string().replace(&place, ""))?;
        for app in &mut template.apps {
            strip(&mut app.app_dir);
            app.resources_paths.iter_mut().for_each(strip);
            app.config_files.iter_mut().for_each(strip);
        }
        Ok(template)
    }

    #[test]
    fn common_settings_are_defaults_of_each_application() {
        let yaml = "
version: 1
common:
  resourcesPath: config
  env: {A: common, B: 2}
  maxBodySize: 8Mi
  readBufferSize: 16Ki
apps:
- appDirPath: a
  appPort: 9005
  daprHTTPPort: 3503
  command: [wasmedge, a.wasm]
- appID: second
  appDirPath: b
  resourcesPaths: [own]
  env: {A: own}
";
        let apps = check(yaml).unwrap().apps;
        let [first, second] = apps.as_slice() else { panic!("{apps:?}") };
        assert_eq!((first.app_id.as_str(), second.app_id.as_str()), ("a", "second"));
        assert_eq!(first.resources_paths, [PathBuf::from("a/.dapr/resources")]);
        assert_eq!(second.resources_paths, [PathBuf::from("b/own")]);
        assert_eq!(second.env, [("B".to_owned(), "2".to_owned()), ("A".to_owned(), "own".to_owned())]);
        assert_eq!((first.max_body_size, first.app_port), (Some(8 << 20), Some(9005)));
        assert_eq!(second.read_buffer_size, Some(16 << 10));
    }

    #[test]
    fn several_errors_are_all_reported_with_lines() {
        let yaml = "version: 2
apps:
- appDirPath: nowhere
  appPort: ninety
- appID: x
  appDirPath: a
  appport: 1
- appID: x
  appDirPath: b
";
        let expected = "4 errors:
  dapr.yaml:1: version: must be 1
  dapr.yaml:3: apps[0].appDirPath: there is no directory nowhere
  dapr.yaml:4: apps[0].appPort is text, but must be a number in range
  dapr.yaml:8: appID \"x\" is taken already, at dapr.yaml:5";
        assert_eq!(check(yaml).unwrap_err(), expected);
        assert!(load(Path::new("/nonexistent/dapr.yaml"), None).is_err());
    }

    #[test]
    fn unknown_fields_are_warnings_with_their_lines() {
        let template = check("version: 1\napps:\n- appDirPath: a\n  appport: 1\n  metricsPort: 9\nmore: x\n").unwrap();
        let warnings: Vec<_> = template.warnings.iter().map(ToString::to_string).collect();
        let ends = [
            "dapr.yaml:5: apps[0].metricsPort: has no effect in daprlet",
            "dapr.yaml:4: apps[0].appport: unknown field; it has no effect; it is written appPort",
            "dapr.yaml:6: more: unknown field; it has no effect",
        ];
        assert!(warnings.len() == 3 && warnings.iter().zip(ends).all(|(it, end)| it.ends_with(end)), "{warnings:?}");
    }

    #[test]
    fn home_is_resolved_and_env_stays_as_written() {
        let yaml = "version: 1
apps:
- appDirPath: a
  resourcesPath: ~/components
  configFilePath: \"~\"
  env: {ZIP: 00501, YES: yes, BIG: 1_000, EMPTY: }
  appLogDestination: fileAndConsole
";
        let apps = check(yaml).unwrap().apps;
        assert_eq!(apps[0].resources_paths, [PathBuf::from("/me/components")]);
        assert_eq!(apps[0].config_files, [PathBuf::from("/me/")]);
        let env: Vec<_> = apps[0].env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(env, ["ZIP=00501", "YES=yes", "BIG=1_000", "EMPTY="]);
        assert_eq!(apps[0].app_log_destination, LogDestination::FileAndConsole);
    }

    #[test]
    fn unsupported_setting_is_an_error() {
        for (field, expected) in [
            ("appProtocol: grpc", "appProtocol: is grpc"),
            ("appSSL: true", "appSSL: daprlet does not support TLS"),
            ("appLogDestination: nowhere", "appLogDestination: is \"nowhere\""),
            ("appID: My.App", "cannot contain dots"),
            ("appID: 'a||b'", "letters, digits"),
            ("appID: ../../x", "dots"),
        ] {
            let error = check(&format!("version: 1\napps:\n- appDirPath: a\n  {field}\n")).unwrap_err();
            assert!(error.starts_with("dapr.yaml:4: apps[0].") && error.contains(expected), "{error}");
        }
        assert!(check_app_id(&"a".repeat(64)).is_err() && check_app_id("Order_processor-1").is_ok());
    }
}
