//! Component resources: `dapr/pkg/apis/components/v1alpha1/types.go`.

use std::path::PathBuf;
use std::time::Duration;

use crate::config_error::ConfigErrors;
use crate::document::Reader;
use crate::resource_header::ResourceHeader;
use crate::resources::is_visible;
use crate::value::{MetadataItem, read_items};

/// Default of `spec.initTimeout`, as in Dapr.
const INIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Component read from YAML; its references are not resolved yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentResource {
    /// `metadata.name`.
    pub name: String,
    /// `spec.type`.
    pub type_: String,
    /// `spec.version`; empty if absent.
    pub version: String,
    /// `spec.metadata`, in its order.
    pub metadata: Vec<MetadataItem>,
    /// `auth.secretStore`: the store in which secret references are resolved.
    pub secret_store: Option<String>,
    /// `spec.ignoreErrors`: start without the component if it cannot be created.
    pub ignore_errors: bool,
    /// `spec.initTimeout`; Dapr's default is 5 s.
    pub init_timeout: Duration,
    /// `scopes`: the applications that see the component; empty means all.
    pub scopes: Vec<String>,
    /// Position of the resource, as `FILE:LINE`.
    pub origin: String,
    /// Directory of the resource's file.
    pub folder: PathBuf,
}

impl ComponentResource {
    /// Returns true if the application `app_id` sees this component.
    #[must_use]
    pub fn is_visible_to(&self, app_id: &str) -> bool {
        is_visible(&self.scopes, app_id)
    }

    /// Returns true if `other` is the same component, perhaps elsewhere in the files.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let without_origin = |it: &Self| Self { origin: String::new(), ..it.clone() };
        without_origin(self) == without_origin(other)
    }
}

pub(crate) fn read(header: ResourceHeader, mut spec: Reader<'_>, errors: &mut ConfigErrors) -> ComponentResource {
    let component = ComponentResource {
        name: header.name,
        type_: spec.required("type", errors),
        version: spec.text("version", errors).unwrap_or_default(),
        ignore_errors: spec.flag("ignoreErrors", errors),
        init_timeout: spec.duration("initTimeout", errors).unwrap_or(INIT_TIMEOUT),
        metadata: read_items(&mut spec, "metadata", errors),
        secret_store: header.secret_store,
        scopes: header.scopes,
        origin: header.origin,
        folder: header.folder,
    };
    spec.finish(errors);
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
            .map_err(|errors| errors.to_string().replace(&place, ""))
    }

    #[test]
    fn component_with_references_and_scopes_is_parsed() {
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
    fn several_bad_documents_all_errors_reported_with_lines() {
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
        let expected = "6 errors:
  c.yaml:5: spec.type is missing
  c.yaml:7: spec.initTimeout is text, but must be a duration such as 5s or 1m30s
  c.yaml:9: apiVersion: is v1, but must be dapr.io/v1alpha1
  c.yaml:9: metadata is missing
  c.yaml:13: spec.metadata is a number, but must be a list
  c.yaml:15: kind: is Deployment, which Dapr does not know";
        assert_eq!(check(yaml).unwrap_err(), expected);
    }

    #[test]
    fn name_not_a_path_segment_is_rejected() {
        let yaml = |name: &str| {
            format!("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name:?}}}\nspec: {{type: t}}\n")
        };
        for (name, said) in [("a/b", "cannot contain '/'"), ("a%2Fb", "cannot contain '%'"), ("..", "not a valid name")]
        {
            let error = check(&yaml(name)).unwrap_err();
            assert!(error.starts_with("c.yaml:3: metadata.name: is ") && error.contains(said), "{error}");
        }
        assert_eq!(check(&yaml("a.b_C-1")).unwrap()[0].name, "a.b_C-1");
    }

    #[test]
    fn invalid_yaml_and_duplicate_component_name_are_errors() {
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
