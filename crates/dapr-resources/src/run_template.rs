//! Run templates: `dapr/cli/pkg/runfileconfig`.

use std::path::{Path, PathBuf};

use crate::document::{self, Reader};
use crate::problem::{Problem, Problems};
use crate::size;

/// A run template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunTemplate {
    /// Its applications, in their order.
    pub apps: Vec<AppEntry>,
}

/// One application of a run template, with what is common to all filled in and every path absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppEntry {
    /// `appID`; the folder's name where it is absent.
    pub app_id: String,
    /// `appDirPath`.
    pub app_dir: PathBuf,
    /// `appPort`.
    pub app_port: Option<u16>,
    /// `daprHTTPPort`.
    pub dapr_http_port: Option<u16>,
    /// `command`.
    pub command: Vec<String>,
    /// `env`, the common ones first.
    pub env: Vec<(String, String)>,
    /// Where its Component YAML is.
    pub resources_paths: Vec<PathBuf>,
    /// Its Configuration YAML.
    pub config_files: Vec<PathBuf>,
    /// `maxBodySize`, in bytes.
    pub max_body_size: Option<u64>,
    /// `readBufferSize`, in bytes: how large the headers of a request may be.
    pub read_buffer_size: Option<u64>,
    /// `appMaxConcurrency`.
    pub app_max_concurrency: Option<u32>,
    /// Where it was read, as `FILE:LINE`.
    pub origin: String,
}

/// Fields of the template that shape `daprd` or containers and mean nothing in one process.
const WITHOUT_EFFECT: &[&str] = &[
    "apiListenAddresses",
    "appChannelAddress",
    "appHealthCheckPath",
    "appHealthProbeInterval",
    "appHealthProbeTimeout",
    "appHealthThreshold",
    "appLogDestination",
    "appProtocol",
    "appSSL",
    "containerImage",
    "containerImagePullPolicy",
    "createService",
    "daprGRPCPort",
    "daprInternalGRPCPort",
    "daprdLogDestination",
    "enableApiLogging",
    "enableAppHealthCheck",
    "enableProfiling",
    "logLevel",
    "metricsPort",
    "placementHostAddress",
    "profilePort",
    "runtimePath",
    "schedulerHostAddress",
    "unixDomainSocket",
];

/// What applications may share.
#[derive(Default)]
struct Shared {
    env: Vec<(String, String)>,
    resources: Vec<PathBuf>,
    config: Option<PathBuf>,
    max_body_size: Option<u64>,
    read_buffer_size: Option<u64>,
    app_max_concurrency: Option<u32>,
}

/// Reads the template `path`, or the `dapr.yaml` in the folder `path`.
///
/// # Errors
/// Every mistake in it.
pub fn load(path: &Path) -> Result<RunTemplate, Problems> {
    let path = if path.is_dir() { path.join("dapr.yaml") } else { path.to_owned() };
    let file = path.display().to_string();
    let absolute = std::path::absolute(&path).map_err(|error| Problem::new(&file, error.to_string()))?;
    let folder = absolute.parent().unwrap_or(Path::new("/")).to_owned();
    let documents = document::read(&path)?;
    let [document] = documents.as_slice() else {
        return Err(Problem::new(&file, "a run template is one document").into());
    };
    let mut problems = Problems::default();
    let mut apps = Vec::new();
    if let Some(mut root) = Reader::new(&file, document.offset, "", &document.root, &mut problems) {
        if root.number::<u32>("version", &mut problems) != Some(1) {
            root.mistake("version", "must be 1", &mut problems);
        }
        root.ignore(&["name"]);
        let common = root.mapping("common", &mut problems).map_or_else(Shared::default, |mut common| {
            let shared = read_shared(&mut common, &folder, &mut problems);
            common.finish(&mut problems);
            shared
        });
        for app in root.mappings("apps", &mut problems) {
            apps.extend(read_app(app, &folder, &common, &mut problems));
        }
        if apps.is_empty() {
            root.mistake("apps", "there are none", &mut problems);
        }
        root.finish(&mut problems);
    }
    same_twice(&apps, &mut problems);
    problems.into_result().map(|()| RunTemplate { apps })
}

fn read_shared(reader: &mut Reader<'_>, folder: &Path, problems: &mut Problems) -> Shared {
    reader.ignore(WITHOUT_EFFECT);
    let mut resources = reader.texts("resourcesPaths", problems);
    resources.extend(reader.text("resourcesPath", problems));
    let max_body_size = read_size(reader, "maxBodySize", 1 << 20, problems);
    let read_buffer_size = read_size(reader, "readBufferSize", 1 << 10, problems);
    Shared {
        env: reader.pairs("env", problems),
        resources: resources.iter().map(|path| folder.join(path)).collect(),
        config: reader.text("configFilePath", problems).map(|path| folder.join(path)),
        max_body_size,
        read_buffer_size,
        app_max_concurrency: reader.number("appMaxConcurrency", problems),
    }
}

fn read_size(reader: &mut Reader<'_>, field: &'static str, bare: u64, problems: &mut Problems) -> Option<u64> {
    let size = size::parse(&reader.text(field, problems)?, bare);
    size.map_err(|why| reader.mistake(field, why, problems)).ok()
}

fn read_app(mut reader: Reader<'_>, folder: &Path, common: &Shared, problems: &mut Problems) -> Option<AppEntry> {
    let origin = reader.place();
    let dir_text = reader.required("appDirPath", problems);
    let app_dir = folder.join(&dir_text);
    if !dir_text.is_empty() && !app_dir.is_dir() {
        reader.mistake("appDirPath", format!("there is no folder {}", app_dir.display()), problems);
    }
    // An application's own paths start from its folder, the common ones from the template's.
    let own = read_shared(&mut reader, &app_dir, problems);
    let named = reader.text("appID", problems);
    let app_id = named.or_else(|| app_dir.components().next_back()?.as_os_str().to_str().map(str::to_owned))?;
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
        app_port: reader.number("appPort", problems).filter(|port| *port != 0),
        dapr_http_port: reader.number("daprHTTPPort", problems).filter(|port| *port != 0),
        command: reader.texts("command", problems),
        env,
        resources_paths,
        config_files,
        max_body_size: own.max_body_size.or(common.max_body_size),
        read_buffer_size: own.read_buffer_size.or(common.read_buffer_size),
        app_max_concurrency: own.app_max_concurrency.or(common.app_max_concurrency),
        app_dir,
        origin,
    };
    reader.finish(problems);
    Some(entry)
}

/// Two applications cannot have one id, nor one port.
fn same_twice(apps: &[AppEntry], problems: &mut Problems) {
    for (index, app) in apps.iter().enumerate() {
        for earlier in apps.iter().take(index) {
            if earlier.app_id == app.app_id {
                let message = format!("appID {:?} is taken already, at {}", app.app_id, earlier.origin);
                problems.push(Problem::new(&app.origin, message));
            }
            let ports = |app: &AppEntry| [app.app_port, app.dapr_http_port];
            let taken = ports(app).into_iter().flatten().find(|port| ports(earlier).contains(&Some(*port)));
            if let Some(port) = taken {
                let message = format!("port {port} is taken already by {:?}, at {}", earlier.app_id, earlier.origin);
                problems.push(Problem::new(&app.origin, message));
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
        let strip = |path: &mut PathBuf| *path = path.strip_prefix(folder.path()).unwrap().to_owned();
        let mut template = load(folder.path()).map_err(|problems| problems.to_string().replace(&place, ""))?;
        for app in &mut template.apps {
            strip(&mut app.app_dir);
            app.resources_paths.iter_mut().for_each(strip);
            app.config_files.iter_mut().for_each(strip);
        }
        Ok(template)
    }

    #[test]
    fn what_is_common_reaches_every_application_that_has_nothing_of_its_own() {
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
    fn all_mistakes_are_told_with_their_lines() {
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
        let expected = "5 mistakes:
  dapr.yaml:1: version: must be 1
  dapr.yaml:3: apps[0].appDirPath: there is no folder nowhere
  dapr.yaml:4: apps[0].appPort is text, but must be a number in range
  dapr.yaml:7: apps[1].appport: unknown field; it is written appPort
  dapr.yaml:8: appID \"x\" is taken already, at dapr.yaml:5";
        assert_eq!(check(yaml).unwrap_err(), expected);
        assert!(load(Path::new("/nonexistent/dapr.yaml")).is_err());
    }
}
