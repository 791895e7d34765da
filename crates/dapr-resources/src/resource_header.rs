//! Fields that all resources share besides their kind, version and `spec`.

use std::path::PathBuf;

use crate::config_error::{ConfigError, ConfigErrors};
use crate::document::Reader;

/// Name, origin and visibility of a resource.
pub(crate) struct ResourceHeader {
    /// `metadata.name`.
    pub(crate) name: String,
    /// `auth.secretStore`.
    pub(crate) secret_store: Option<String>,
    /// `scopes`.
    pub(crate) scopes: Vec<String>,
    /// Position of the resource, as `FILE:LINE`.
    pub(crate) origin: String,
    /// Directory of the resource's file.
    pub(crate) folder: PathBuf,
}

/// Reads the header, and returns true with it if the resource belongs to another namespace than `namespace`.
pub(crate) fn read(
    root: &mut Reader<'_>,
    namespace: Option<&str>,
    errors: &mut ConfigErrors,
) -> (ResourceHeader, bool) {
    let scopes = root.texts("scopes", errors);
    let mut header =
        ResourceHeader { name: String::new(), secret_store: None, scopes, origin: root.place(), folder: root.folder() };
    let mut elsewhere = false;
    match root.mapping("metadata", errors) {
        Some(mut metadata) => {
            header.name = metadata.required("name", errors);
            if let Err(why) = check_name(&header.name) {
                metadata.reject("name", why, errors);
            }
            let its = metadata.text("namespace", errors);
            elsewhere = matches!((its, namespace), (Some(its), Some(ours)) if !its.is_empty() && its != ours);
            metadata.ignore(&["annotations", "creationTimestamp", "labels"]);
            metadata.finish(errors);
        }
        None => errors.push(ConfigError::new(&root.place(), "metadata is missing")),
    }
    if let Some(mut auth) = root.mapping("auth", errors) {
        header.secret_store = auth.text("secretStore", errors).filter(|store| !store.is_empty());
        auth.finish(errors);
    }
    (header, elsewhere)
}

/// Checks a resource name as Dapr's disk loader does: it must be one path segment. (A missing name is reported
/// elsewhere.)
fn check_name(name: &str) -> Result<(), String> {
    if matches!(name, "." | "..") {
        return Err(format!("is {name:?}, which is not a valid name"));
    }
    match name.chars().find(|character| matches!(character, '/' | '%')) {
        Some(character) => Err(format!("is {name:?}, but a name cannot contain {character:?}")),
        None => Ok(()),
    }
}
