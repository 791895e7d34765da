//! `configuration.file`: configuration in a file of JSON, which an editor changes. Dapr has no such component.
//!
//! The file is an object of texts, numbers and booleans. Its content is looked at once in `interval`; a file that
//! cannot be read is reported, and the last content stays.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dapr_building_blocks::component::PropertyError;
use dapr_building_blocks::configuration::{
    ConfigurationError, ConfigurationRequest, ConfigurationSink, ConfigurationStore, Item, Items, Watching,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Time between looks at the file.
const DEFAULT_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum size of the file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

struct ConfigurationFile {
    path: PathBuf,
    interval: Duration,
}

/// Creates the component: `path`, and `interval`.
///
/// # Errors
/// When the file cannot be read.
pub(super) async fn create(spec: ComponentSpec, context: Context) -> Result<Component, InitError> {
    let path = context.resolve(spec.properties.required("path")?);
    let interval = spec.properties.duration("interval")?.unwrap_or(DEFAULT_INTERVAL);
    if interval.is_zero() {
        return Err(PropertyError::invalid("interval", "longer than 0s").into());
    }
    read(&path).map_err(InitError::misconfigured)?;
    Ok(Component::from_configuration_store(ConfigurationFile { path, interval }))
}

fn read(path: &Path) -> Result<Items, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let metadata = std::fs::metadata(path).map_err(|error| wrong(&error))?;
    if metadata.len() > MAX_BYTES {
        return Err(wrong(&format_args!("larger than {} MiB", MAX_BYTES >> 20)));
    }
    let text = std::fs::read(path).map_err(|error| wrong(&error))?;
    let Value::Object(members) = serde_json::from_slice(&text).map_err(|error| wrong(&error))? else {
        return Err(wrong(&"the file is not an object of keys and values"));
    };
    let item = |(key, value)| {
        let value = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(wrong(&format_args!("the value of {key:?} is no text, number or boolean"))),
        };
        Ok((key, Item { value, ..Item::default() }))
    };
    members.into_iter().map(item).collect()
}

fn select(mut items: Items, keys: &[String]) -> Items {
    items.retain(|key, _| keys.is_empty() || keys.contains(key));
    items
}

/// Returns items that differ; deleted ones are empty.
fn changes(old: &Items, new: &Items) -> Items {
    let changed = new.iter().filter(|(key, item)| old.get(*key) != Some(*item));
    let deleted = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Item::default()));
    changed.map(|(key, item)| (key.clone(), item.clone())).chain(deleted).collect()
}

impl ConfigurationFile {
    async fn read(path: PathBuf) -> Result<Items, String> {
        tokio::task::spawn_blocking(move || read(&path)).await.map_err(|error| error.to_string())?
    }
}

#[async_trait]
impl ConfigurationStore for ConfigurationFile {
    async fn get(&self, request: ConfigurationRequest) -> Result<Items, ConfigurationError> {
        let items = Self::read(self.path.clone()).await;
        items.map(|items| select(items, &request.keys)).map_err(|why| ConfigurationError::Unavailable(why.into()))
    }

    async fn subscribe(
        &self,
        request: ConfigurationRequest,
        sink: Arc<dyn ConfigurationSink>,
        shutdown: CancellationToken,
    ) -> Result<Watching, ConfigurationError> {
        let mut known = self.get(request.clone()).await?;
        let (path, interval) = (self.path.clone(), self.interval);
        Ok(Box::pin(async move {
            let mut reported = None;
            while shutdown.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
                match Self::read(path.clone()).await {
                    Ok(items) => {
                        reported = None;
                        let items = select(items, &request.keys);
                        let changes = changes(&known, &items);
                        if !changes.is_empty() {
                            known = items;
                            sink.changed(changes).await;
                        }
                    }
                    Err(error) if reported.as_ref() != Some(&error) => {
                        tracing::error!(error, "configuration not read; the last one stays");
                        reported = Some(error);
                    }
                    Err(_) => {}
                }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    struct Sent(mpsc::UnboundedSender<Items>);

    #[async_trait]
    impl ConfigurationSink for Sent {
        async fn changed(&self, items: Items) {
            self.0.send(items).unwrap();
        }
    }

    fn values(items: &Items) -> Vec<(&str, &str)> {
        items.iter().map(|(key, item)| (key.as_str(), item.value.as_str())).collect()
    }

    #[tokio::test]
    async fn changes_of_the_file_are_reported_and_a_broken_one_is_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"a":"1","b":2,"c":true}"#).unwrap();
        let path = file.path().display().to_string();
        let properties = [("path", path.as_str()), ("interval", "1ms")].into_iter().collect();
        let spec = ComponentSpec { properties, ..ComponentSpec::default() };
        let store = create(spec, Context::default()).await.unwrap().configuration_store.unwrap();
        let request = |keys: &[&str]| ConfigurationRequest {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..ConfigurationRequest::default()
        };
        let read = store.get(request(&["b", "missing"])).await.unwrap();
        assert_eq!(values(&read), [("b", "2")]);
        let (sender, mut changes) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let watching = store.subscribe(request(&[]), Arc::new(Sent(sender)), shutdown.clone()).await.unwrap();
        let watching = tokio::spawn(watching);
        std::fs::write(file.path(), "{").unwrap();
        assert!(store.get(request(&[])).await.is_err());
        std::fs::write(file.path(), r#"{"a":"1","b":3}"#).unwrap();
        assert_eq!(values(&changes.recv().await.unwrap()), [("b", "3"), ("c", "")]);
        shutdown.cancel();
        watching.await.unwrap();
    }

    #[tokio::test]
    async fn unreadable_file_is_an_error_that_names_it() {
        for content in ["[]", "{", r#"{"a":{}}"#] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), content).unwrap();
            let path = file.path().display().to_string();
            let spec = ComponentSpec {
                properties: [("path", path.as_str())].into_iter().collect(),
                ..ComponentSpec::default()
            };
            let error = create(spec, Context::default()).await.err().unwrap();
            assert!(!error.is_retryable() && error.to_string().contains(&path), "{content}: {error}");
        }
    }
}
