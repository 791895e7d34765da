//! Named values, which every kind of resource has: `dapr/pkg/apis/common/namevalue.go`.

use crate::config_error::ConfigErrors;
use crate::document::Reader;

/// Property of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataItem {
    /// Name of the property.
    pub name: String,
    /// Value of the property, or a reference to it.
    pub value: MetadataValue,
}

/// Value of a property, or a reference to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataValue {
    /// Literal value; numbers and booleans as Go writes them.
    Plain(String),
    /// Reference to a secret store.
    SecretKeyRef {
        /// Name of the secret.
        name: String,
        /// Key in the secret; defaults to the secret's name, as in Dapr.
        key: String,
    },
    /// Variable in the environment of the sidecar.
    EnvRef(String),
}

/// Reads the named values in the list `field`.
pub(crate) fn read_items(from: &mut Reader<'_>, field: &'static str, errors: &mut ConfigErrors) -> Vec<MetadataItem> {
    from.mappings(field, errors).into_iter().filter_map(|item| read_item(item, errors)).collect()
}

fn read_item(mut item: Reader<'_>, errors: &mut ConfigErrors) -> Option<MetadataItem> {
    let name = item.required("name", errors);
    let value = read_value(&mut item, errors).unwrap_or_else(|| MetadataValue::Plain(String::new()));
    item.finish(errors);
    (!name.is_empty()).then_some(MetadataItem { name, value })
}

/// Reads a value in one of its three forms.
///
/// An empty reference counts as absent, as Go marshals unset references that way.
pub(crate) fn read_value(item: &mut Reader<'_>, errors: &mut ConfigErrors) -> Option<MetadataValue> {
    let plain = item.value_text("value", errors);
    let env = item.text("envRef", errors).filter(|name| !name.is_empty());
    let reference = item.mapping("secretKeyRef", errors).and_then(|mut reference| {
        let name = reference.text("name", errors).unwrap_or_default();
        let key = reference.text("key", errors).filter(|key| !key.is_empty());
        if let (true, Some(key)) = (name.is_empty(), &key) {
            reference.reject("key", format!("is {key:?}, but name is missing"), errors);
        }
        reference.finish(errors);
        let key = key.unwrap_or_else(|| name.clone());
        (!name.is_empty()).then_some(MetadataValue::SecretKeyRef { name, key })
    });
    reference.or(env.map(MetadataValue::EnvRef)).or(plain.map(MetadataValue::Plain))
}
