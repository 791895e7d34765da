//! Kubernetes YAML documents.

use std::path::Path;

use serde_json::Value;

use crate::typed;

/// A document and its origin.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// File, or program that printed it.
    pub origin: String,
    /// Parsed contents.
    pub value: Value,
}

impl Manifest {
    /// Reads the documents of a file.
    ///
    /// # Panics
    /// If it is not YAML.
    pub fn read(path: &Path) -> Vec<Self> {
        Self::parse(&path.display().to_string(), &std::fs::read_to_string(path).unwrap())
    }

    /// Parses the documents of a text.
    ///
    /// # Panics
    /// If it is not YAML.
    pub fn parse(origin: &str, text: &str) -> Vec<Self> {
        let values: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{origin}: {error}"));
        values.into_iter().map(|value| Self { origin: origin.to_owned(), value }).collect()
    }

    /// Lists the parts that Kubernetes would reject or drop.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        typed::problems(&self.value)
            .into_iter()
            .map(|problem| format!("{}: {problem}", self.name_and_origin()))
            .collect()
    }

    /// Returns true for Dapr's own resources, which `dapr-resources` reads.
    #[must_use]
    pub fn is_daprs(&self) -> bool {
        self.text("/apiVersion").starts_with("dapr.io/")
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Returns the text at a JSON pointer; empty if there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// Returns the value at a JSON pointer; null if there is none.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns the list at a JSON pointer.
    #[must_use]
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map_or(&[], Vec::as_slice)
    }

    fn name_and_origin(&self) -> String {
        format!("{}, {} {}", self.origin, self.kind(), self.name())
    }
}
