//! What all resources have beside their kind and `spec`.

use std::path::PathBuf;

use crate::document::Reader;
use crate::problem::{Problem, Problems};

/// Whose resource this is, and who sees it.
pub(crate) struct Head {
    /// `metadata.name`.
    pub(crate) name: String,
    /// `auth.secretStore`.
    pub(crate) secret_store: Option<String>,
    /// `scopes`.
    pub(crate) scopes: Vec<String>,
    /// Where it was read, as `FILE:LINE`.
    pub(crate) origin: String,
    /// The folder that it was read from.
    pub(crate) folder: PathBuf,
}

/// The head, and whether the resource is of another namespace than `namespace`.
pub(crate) fn read(root: &mut Reader<'_>, namespace: Option<&str>, problems: &mut Problems) -> (Head, bool) {
    let version = root.required("apiVersion", problems);
    if !version.is_empty() && version != "dapr.io/v1alpha1" {
        root.mistake("apiVersion", format!("is {version}, but must be dapr.io/v1alpha1"), problems);
    }
    let scopes = root.texts("scopes", problems);
    let mut head =
        Head { name: String::new(), secret_store: None, scopes, origin: root.place(), folder: root.folder() };
    let mut elsewhere = false;
    match root.mapping("metadata", problems) {
        Some(mut metadata) => {
            head.name = metadata.required("name", problems);
            if let Err(why) = check_name(&head.name) {
                metadata.mistake("name", why, problems);
            }
            let its = metadata.text("namespace", problems);
            elsewhere = matches!((its, namespace), (Some(its), Some(ours)) if !its.is_empty() && its != ours);
            metadata.ignore(&["annotations", "creationTimestamp", "labels"]);
            metadata.finish(problems);
        }
        None => problems.push(Problem::new(&root.place(), "metadata is missing")),
    }
    if let Some(mut auth) = root.mapping("auth", problems) {
        head.secret_store = auth.text("secretStore", problems).filter(|store| !store.is_empty());
        auth.finish(problems);
    }
    (head, elsewhere)
}

/// Checks the name of a resource as Dapr's disk loader does: it is one segment of a path. (A missing one is told already.)
fn check_name(name: &str) -> Result<(), String> {
    if matches!(name, "." | "..") {
        return Err(format!("is {name:?}, which is no name"));
    }
    match name.chars().find(|character| matches!(character, '/' | '%')) {
        Some(character) => Err(format!("is {name:?}, but a name cannot contain {character:?}")),
        None => Ok(()),
    }
}
