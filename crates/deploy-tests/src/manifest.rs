//! One document of YAML for Kubernetes.

use std::path::Path;

use serde_json::Value;

use crate::typed;

/// A document, and where it is from.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its file, or what printed it.
    pub origin: String,
    /// What it says.
    pub value: Value,
}

impl Manifest {
    /// The documents of a file.
    ///
    /// # Panics
    /// When it is no YAML.
    pub fn read(path: &Path) -> Vec<Self> {
        Self::parse(&path.display().to_string(), &std::fs::read_to_string(path).unwrap())
    }

    /// The documents of a text.
    ///
    /// # Panics
    /// When it is no YAML.
    pub fn parse(origin: &str, text: &str) -> Vec<Self> {
        let values: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{origin}: {error}"));
        values.into_iter().map(|value| Self { origin: origin.to_owned(), value }).collect()
    }

    /// What Kubernetes would not understand of it, or would drop.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        typed::problems(&self.value)
            .into_iter()
            .map(|problem| format!("{}: {problem}", self.name_and_origin()))
            .collect()
    }

    /// Whether it is one of Dapr's own resources, which `dapr-resources` reads.
    #[must_use]
    pub fn is_daprs(&self) -> bool {
        self.text("/apiVersion").starts_with("dapr.io/")
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The text at a JSON pointer; empty where there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The value at a JSON pointer; null where there is none.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The values of a list at a JSON pointer.
    #[must_use]
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    fn name_and_origin(&self) -> String {
        format!("{}, {} {}", self.origin, self.kind(), self.name())
    }
}
