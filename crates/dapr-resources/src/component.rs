//! Component resources: `dapr/pkg/apis/components/v1alpha1/types.go`.

use std::path::PathBuf;
use std::time::Duration;

use crate::document::Reader;
use crate::head::Head;
use crate::problem::Problems;
use crate::resources::is_visible;
use crate::value::{MetadataItem, read_items};

/// Dapr's default of `spec.initTimeout`.
const INIT_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// The folder that it was read from.
    pub folder: PathBuf,
}

impl ComponentResource {
    /// Whether the application `app_id` sees this component.
    #[must_use]
    pub fn is_visible_to(&self, app_id: &str) -> bool {
        is_visible(&self.scopes, app_id)
    }
}

pub(crate) fn read(head: Head, mut spec: Reader<'_>, problems: &mut Problems) -> ComponentResource {
    let component = ComponentResource {
        name: head.name,
        type_: spec.required("type", problems),
        version: spec.text("version", problems).unwrap_or_default(),
        ignore_errors: spec.flag("ignoreErrors", problems),
        init_timeout: spec.duration("initTimeout", problems).unwrap_or(INIT_TIMEOUT),
        metadata: read_items(&mut spec, "metadata", problems),
        secret_store: head.secret_store,
        scopes: head.scopes,
        origin: head.origin,
        folder: head.folder,
    };
    spec.finish(problems);
    component
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::load;
    use crate::value::MetadataValue;

    fn check(yaml: &str) -> Result<Vec<ComponentResource>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.yaml"), yaml).unwrap();
        let place = format!("{}/", folder.path().display());
        load(&[folder.path().to_owned()], None)
            .map(|resources| resources.components)
            .map_err(|problems| problems.to_string().replace(&place, ""))
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
  - name: keyPrefix
    value: 010
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
        assert_eq!(values, [plain("localhost:6379"), plain("3"), plain("8"), plain("true"), secret, env]);
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
        let expected = "6 mistakes:
  c.yaml:5: spec.type is missing
  c.yaml:7: spec.initTimeout is text, but must be a duration such as 5s or 1m30s
  c.yaml:9: apiVersion: is v1, but must be dapr.io/v1alpha1
  c.yaml:9: metadata is missing
  c.yaml:13: spec.metadata is a number, but must be a list
  c.yaml:15: kind: is Deployment, which Dapr does not know";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }

    #[test]
    fn names_that_are_no_path_segment_are_errors() {
        let yaml = |name: &str| {
            format!("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name:?}}}\nspec: {{type: t}}\n")
        };
        for (name, said) in [("a/b", "cannot contain '/'"), ("a%2Fb", "cannot contain '%'"), ("..", "is no name")] {
            let error = check(&yaml(name)).unwrap_err();
            assert!(error.starts_with("c.yaml:3: metadata.name: is ") && error.contains(said), "{error}");
        }
        assert_eq!(check(&yaml("a.b_C-1")).unwrap()[0].name, "a.b_C-1");
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
