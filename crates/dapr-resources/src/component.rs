//! Component resources: `dapr/pkg/apis/components/v1alpha1/types.go`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::{self, Document, Reader};
use crate::problem::{Problem, Problems};

/// Dapr's default of `spec.initTimeout`.
const INIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Kinds that may lie in a resources folder and that daprlet does not serve.
const OTHER_KINDS: &[&str] = &["Configuration", "HTTPEndpoint", "Resiliency", "Subscription", "WorkflowAccessPolicy"];

/// One component as its YAML describes it; references are not resolved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentResource {
    /// `metadata.name`.
    pub name: String,
    /// `spec.type`.
    pub type_: String,
    /// `spec.version`; empty where it is absent.
    pub version: String,
    /// `spec.metadata`, in its order.
    pub metadata: Vec<MetadataItem>,
    /// `auth.secretStore`: where secret references lead.
    pub secret_store: Option<String>,
    /// `spec.ignoreErrors`: start without it if it cannot be made.
    pub ignore_errors: bool,
    /// `spec.initTimeout`; Dapr's default is 5 s.
    pub init_timeout: Duration,
    /// `scopes`: the applications that see it; empty means all.
    pub scopes: Vec<String>,
    /// Where it was read, as `FILE:LINE`.
    pub origin: String,
}

/// One property of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataItem {
    /// Its name.
    pub name: String,
    /// Its value, or where that is found.
    pub value: MetadataValue,
}

/// Where the value of a property is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataValue {
    /// Here. Scalars of other types are text already.
    Plain(String),
    /// In a secret store.
    SecretKeyRef {
        /// The secret.
        name: String,
        /// The key in it; Dapr's default is the secret's name.
        key: String,
    },
    /// In the environment of the sidecar.
    EnvRef(String),
}

impl ComponentResource {
    /// Whether the application `app_id` sees this component.
    #[must_use]
    pub fn is_visible_to(&self, app_id: &str) -> bool {
        self.scopes.is_empty() || self.scopes.iter().any(|scope| scope == app_id)
    }
}

/// Reads all components in `folders`: every `.yaml` and `.yml` file right in them, as Dapr's disk loader does. Components
/// of another namespace than `namespace` (the environment's `NAMESPACE`) are left out.
///
/// # Errors
/// Every mistake in them.
pub fn load(folders: &[PathBuf], namespace: Option<&str>) -> Result<Vec<ComponentResource>, Problems> {
    let mut problems = Problems::default();
    let mut components = Vec::new();
    for file in folders.iter().filter_map(|folder| problems.collect(files(folder))).collect::<Vec<_>>().concat() {
        for document in problems.collect(document::read(&file)).unwrap_or_default() {
            components.extend(read(&document, namespace, &mut problems));
        }
    }
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for component in &components {
        if let Some(first) = seen.insert(component.name.clone(), component.origin.clone()) {
            let message = format!("there is a component {:?} already, at {first}", component.name);
            problems.push(Problem::new(&component.origin, message));
        }
    }
    problems.into_result().map(|()| components)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Problems> {
    let fail = |error: std::io::Error| Problem::new(&folder.display().to_string(), error.to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if is_yaml && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(document: &Document, namespace: Option<&str>, problems: &mut Problems) -> Option<ComponentResource> {
    let mut root = Reader::new(&document.file, document.offset, "", &document.root, problems)?;
    let kind = root.required("kind", problems);
    if OTHER_KINDS.contains(&kind.as_str()) {
        tracing::warn!("{}: daprlet does not serve {kind} resources yet; this one has no effect", root.place());
        return None;
    }
    if kind != "Component" {
        if !kind.is_empty() {
            root.mistake("kind", format!("is {kind}, which Dapr does not know"), problems);
        }
        return None;
    }
    let version = root.required("apiVersion", problems);
    if !version.is_empty() && version != "dapr.io/v1alpha1" {
        root.mistake("apiVersion", format!("is {version}, but must be dapr.io/v1alpha1"), problems);
    }
    let origin = root.place();
    let scopes = root.texts("scopes", problems);
    let mut component = ComponentResource {
        name: String::new(),
        type_: String::new(),
        version: String::new(),
        metadata: Vec::new(),
        secret_store: None,
        ignore_errors: false,
        init_timeout: INIT_TIMEOUT,
        scopes,
        origin,
    };
    let mut elsewhere = false;
    match root.mapping("metadata", problems) {
        Some(mut metadata) => {
            component.name = metadata.required("name", problems);
            let its = metadata.text("namespace", problems);
            elsewhere = matches!((its, namespace), (Some(its), Some(ours)) if its != ours);
            metadata.ignore(&["annotations", "creationTimestamp", "labels"]);
            metadata.finish(problems);
        }
        None => problems.push(Problem::new(&root.place(), "metadata is missing")),
    }
    if let Some(mut auth) = root.mapping("auth", problems) {
        component.secret_store = auth.text("secretStore", problems);
        auth.finish(problems);
    }
    match root.mapping("spec", problems) {
        Some(spec) => read_spec(spec, &mut component, problems),
        None => problems.push(Problem::new(&root.place(), "spec is missing")),
    }
    root.finish(problems);
    (!elsewhere).then_some(component)
}

fn read_spec(mut spec: Reader<'_>, component: &mut ComponentResource, problems: &mut Problems) {
    component.type_ = spec.required("type", problems);
    component.version = spec.text("version", problems).unwrap_or_default();
    component.ignore_errors = spec.flag("ignoreErrors", problems);
    component.init_timeout = spec.duration("initTimeout", problems).unwrap_or(INIT_TIMEOUT);
    for item in spec.mappings("metadata", problems) {
        component.metadata.extend(read_item(item, problems));
    }
    spec.finish(problems);
}

fn read_item(mut item: Reader<'_>, problems: &mut Problems) -> Option<MetadataItem> {
    let name = item.required("name", problems);
    let plain = item.text("value", problems);
    let env = item.text("envRef", problems);
    let reference = item.mapping("secretKeyRef", problems).map(|mut reference| {
        let name = reference.required("name", problems);
        let key = reference.text("key", problems).unwrap_or_else(|| name.clone());
        reference.finish(problems);
        MetadataValue::SecretKeyRef { name, key }
    });
    let value = reference.or(env.map(MetadataValue::EnvRef)).or(plain.map(MetadataValue::Plain));
    let value = value.unwrap_or_else(|| MetadataValue::Plain(String::new()));
    item.finish(problems);
    (!name.is_empty()).then_some(MetadataItem { name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str) -> Result<Vec<ComponentResource>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.yaml"), yaml).unwrap();
        let place = format!("{}/", folder.path().display());
        load(&[folder.path().to_owned()], None).map_err(|problems| problems.to_string().replace(&place, ""))
    }

    #[test]
    fn a_component_is_read_with_references_scopes_and_scalars_of_any_type() {
        let yaml = r#"
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.redis
  version: v1
  ignoreErrors: true
  initTimeout: 1m
  metadata:
  - name: redisHost
    value: localhost:6379
  - name: redisDB
    value: 3
  - name: enableTLS
    value: true
  - name: redisPassword
    secretKeyRef: {name: redis}
  - name: redisUsername
    envRef: USER
auth:
  secretStore: local
scopes: [a, b]
"#;
        let components = check(yaml).unwrap();
        let [component] = components.as_slice() else { panic!("{components:?}") };
        assert_eq!((component.name.as_str(), component.type_.as_str()), ("store", "state.redis"));
        assert!(component.ignore_errors && component.init_timeout == Duration::from_secs(60));
        assert!(component.is_visible_to("a") && !component.is_visible_to("c"));
        let values: Vec<_> = component.metadata.iter().map(|item| item.value.clone()).collect();
        let plain = |text: &str| MetadataValue::Plain(text.to_owned());
        let secret = MetadataValue::SecretKeyRef { name: "redis".into(), key: "redis".into() };
        let env = MetadataValue::EnvRef("USER".into());
        assert_eq!(values, [plain("localhost:6379"), plain("3"), plain("true"), secret, env]);
    }

    #[test]
    fn all_mistakes_in_all_documents_are_told_with_their_lines() {
        let yaml = r#"apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: a
spec:
  typ: state.redis
  initTimeout: soon
---
apiVersion: v1
kind: Component
spec:
  type: x
  metadata: 7
---
kind: Deployment
"#;
        let expected = "7 mistakes:
  c.yaml:6: spec.type is missing
  c.yaml:7: spec.initTimeout is text, but must be a duration such as 5s or 1m30s
  c.yaml:6: spec.typ: unknown field
  c.yaml:9: apiVersion: is v1, but must be dapr.io/v1alpha1
  c.yaml:9: metadata is missing
  c.yaml:13: spec.metadata is a number, but must be a list
  c.yaml:15: kind: is Deployment, which Dapr does not know";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }

    #[test]
    fn what_is_no_yaml_and_two_components_of_one_name_are_mistakes() {
        assert!(
            check(
                "a: [1,
b"
            )
            .unwrap_err()
            .starts_with("c.yaml:"),
            "{:?}",
            check(
                "a: [1,
b"
            )
        );
        let one = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec: {type: t}\n"
            .replace("\\n", "\n");
        assert_eq!(
            check(&format!("{one}---\n{one}")).unwrap_err(),
            "c.yaml:6: there is a component \"a\" already, at c.yaml:1"
        );
        assert_eq!(check("# nothing\n---\n").unwrap(), []);
    }
}
