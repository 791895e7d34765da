//! `secretstores.local.file`: secrets in a JSON file. `components-contrib/secretstores/local/file/filestore.go`.
//!
//! The file is read once, when the component is created.

mod flatten;

use std::collections::BTreeMap;

use async_trait::async_trait;
use dapr_building_blocks::secret::{SecretError, SecretFeature, SecretValues};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, SecretStore};
use serde_json::Value;

use flatten::{DuplicateKey, flatten};

/// Reads the file, which must exist and contain a JSON object.
pub(crate) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let path = context.resolve(spec.properties.required("secretsFile")?);
    let separator = spec.properties.get("nestedSeparator").unwrap_or(":");
    let multi_valued = spec.properties.bool("multiValued")?.unwrap_or(false);
    let wrong = |what: String| InitError::misconfigured(format!("secrets file {}: {what}", path.display()));

    let text = tokio::fs::read(&path).await.map_err(|error| wrong(error.to_string()))?;
    // Parsed into a `Value`, so that error messages name the position in the file and never its content.
    let value: Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let store = LocalFile::new(&value, separator, multi_valued).map_err(|error| wrong(error.to_string()))?;
    Ok(Component::from_secret_store(store))
}

struct LocalFile {
    secrets: BTreeMap<String, SecretValues>,
    multi_valued: bool,
}

#[derive(Debug, thiserror::Error)]
enum ContentError {
    #[error("must hold a JSON object")]
    NoObject,
    #[error(transparent)]
    Duplicate(#[from] DuplicateKey),
}

impl LocalFile {
    fn new(file: &Value, separator: &str, multi_valued: bool) -> Result<Self, ContentError> {
        let object = file.as_object().ok_or(ContentError::NoObject)?;
        let mut secrets = BTreeMap::new();
        if multi_valued {
            for (name, value) in object {
                match value {
                    Value::String(text) => {
                        secrets.insert(name.clone(), SecretValues::from([(name.clone(), text.as_str().into())]));
                    }
                    Value::Object(_) => {
                        secrets.insert(name.clone(), flatten(value, separator)?);
                    }
                    // Dapr ignores other values at this level.
                    _ => {}
                }
            }
        } else {
            for (name, value) in flatten(file, separator)? {
                secrets.insert(name.clone(), SecretValues::from([(name, value)]));
            }
        }
        Ok(Self { secrets, multi_valued })
    }
}

#[async_trait]
impl SecretStore for LocalFile {
    fn features(&self) -> Vec<SecretFeature> {
        if self.multi_valued { vec![SecretFeature::MultipleKeyValuesPerSecret] } else { Vec::new() }
    }

    async fn get(&self, name: &str, _metadata: &Metadata) -> Result<SecretValues, SecretError> {
        self.secrets.get(name).cloned().ok_or_else(|| SecretError::NotFound { name: name.to_owned() })
    }

    async fn bulk_get(&self, _metadata: &Metadata) -> Result<BTreeMap<String, SecretValues>, SecretError> {
        Ok(self.secrets.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(store: &LocalFile, name: &str) -> Vec<(String, String)> {
        let values = &store.secrets[name];
        values.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect()
    }

    #[test]
    fn nested_names_are_joined_by_the_separator() {
        let file = json!({"DB_URL": {"MYSQL": "mysql://u:p@h/d"}, "plain": "x"});
        let store = LocalFile::new(&file, ":", false).unwrap();
        assert_eq!(values(&store, "DB_URL:MYSQL"), [("DB_URL:MYSQL".into(), "mysql://u:p@h/d".into())]);
        assert_eq!(values(&store, "plain"), [("plain".into(), "x".into())]);
        assert!(LocalFile::new(&file, ".", false).unwrap().secrets.contains_key("DB_URL.MYSQL"));
    }

    #[test]
    fn multi_valued_store_uses_first_level_as_secrets() {
        let file = json!({"db": {"user": "u", "deep": {"er": "d"}}, "plain": "x", "ignored": 5});
        let store = LocalFile::new(&file, ":", true).unwrap();
        assert_eq!(values(&store, "db"), [("deep:er".into(), "d".into()), ("user".into(), "u".into())]);
        assert_eq!(values(&store, "plain"), [("plain".into(), "x".into())]);
        assert!(!store.secrets.contains_key("ignored"));
        assert_eq!(store.features(), [SecretFeature::MultipleKeyValuesPerSecret]);
    }

    #[tokio::test]
    async fn unknown_name_has_daprs_not_found_error() {
        let store = LocalFile::new(&json!({}), ":", false).unwrap();
        let error = store.get("nope", &Metadata::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "secret nope not found");
    }

    #[tokio::test]
    async fn invalid_file_is_reported_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        for (content, said) in [("{\"a\": \"hunter2\" x", "line 1 column"), ("\"hunter2\"", "must hold a JSON object")]
        {
            std::fs::write(folder.path().join("secrets.json"), content).unwrap();
            let properties = [("secretsFile", "secrets.json")].into_iter().collect();
            let spec = ComponentSpec { properties, ..ComponentSpec::default() };
            let context = Context { base_dir: folder.path().to_owned(), ..Context::default() };
            let error = create(spec, context).await.err().unwrap();
            assert!(!error.is_retryable() && error.to_string().contains(said), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
