//! Named values as every resource has them: `dapr/pkg/apis/common/namevalue.go`.

use crate::document::Reader;
use crate::problem::Problems;

/// One property of a resource.
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
    /// Here; numbers and truth values as Go shows them.
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

/// The named values in the list `field`.
pub(crate) fn read_items(from: &mut Reader<'_>, field: &'static str, problems: &mut Problems) -> Vec<MetadataItem> {
    from.mappings(field, problems).into_iter().filter_map(|item| read_item(item, problems)).collect()
}

fn read_item(mut item: Reader<'_>, problems: &mut Problems) -> Option<MetadataItem> {
    let name = item.required("name", problems);
    let value = read_value(&mut item, problems).unwrap_or_else(|| MetadataValue::Plain(String::new()));
    item.finish(problems);
    (!name.is_empty()).then_some(MetadataItem { name, value })
}

/// A value in one of its three ways, if there is any. An empty reference is none: Go marshals what is not set so.
pub(crate) fn read_value(item: &mut Reader<'_>, problems: &mut Problems) -> Option<MetadataValue> {
    let plain = item.value_text("value", problems);
    let env = item.text("envRef", problems).filter(|name| !name.is_empty());
    let reference = item.mapping("secretKeyRef", problems).and_then(|mut reference| {
        let name = reference.text("name", problems).unwrap_or_default();
        let key = reference.text("key", problems).filter(|key| !key.is_empty());
        if let (true, Some(key)) = (name.is_empty(), &key) {
            reference.mistake("key", format!("is {key:?}, but name is missing"), problems);
        }
        reference.finish(problems);
        let key = key.unwrap_or_else(|| name.clone());
        (!name.is_empty()).then_some(MetadataValue::SecretKeyRef { name, key })
    });
    reference.or(env.map(MetadataValue::EnvRef)).or(plain.map(MetadataValue::Plain))
}
