//! Maps an application's keys to a store's: `dapr/pkg/components/state/state_config.go`.

/// Separator between a prefix and a key.
const SEPARATOR: &str = "||";

/// The strategy of a state store's `keyPrefix`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyPrefix {
    /// `appid`: the app id, so that applications sharing a store have separate keys.
    #[default]
    AppId,
    /// `name`: the store's name, so that all applications share its keys.
    StoreName,
    /// `namespace`: the namespace, a dot and the app id.
    Namespace(String),
    /// `none`: no prefix.
    None,
    /// Any other text, in lower case; it may be empty.
    Literal(String),
}

/// A key or prefix that contains the separator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("input key/keyPrefix '{0}' can't contain '||'")]
pub struct IllegalKey(pub String);

impl KeyPrefix {
    /// Parses the property, which may be absent, for an application in `namespace`, which may be empty.
    ///
    /// # Errors
    /// When it contains the separator.
    pub fn from_property(property: Option<&str>, namespace: &str) -> Result<Self, IllegalKey> {
        let Some(text) = property else { return Ok(Self::AppId) };
        let text = text.to_lowercase();
        legal(&text)?;
        Ok(match text.as_str() {
            "namespace" if !namespace.is_empty() => Self::Namespace(namespace.to_owned()),
            // Without a namespace it is the application's id alone.
            "appid" | "namespace" => Self::AppId,
            "name" => Self::StoreName,
            "none" => Self::None,
            _ => Self::Literal(text),
        })
    }

    /// Builds the store's key for an application's `key`.
    ///
    /// # Errors
    /// When `key` contains the separator.
    pub fn apply(&self, key: &str, store: &str, app_id: &str) -> Result<String, IllegalKey> {
        legal(key)?;
        Ok(match self {
            Self::None => key.to_owned(),
            Self::AppId | Self::Namespace(_) if app_id.is_empty() => key.to_owned(),
            Self::AppId => format!("{app_id}{SEPARATOR}{key}"),
            Self::Namespace(namespace) => format!("{namespace}.{app_id}{SEPARATOR}{key}"),
            Self::StoreName => format!("{store}{SEPARATOR}{key}"),
            Self::Literal(literal) => format!("{literal}{SEPARATOR}{key}"),
        })
    }
}

fn legal(text: &str) -> Result<(), IllegalKey> {
    if text.contains(SEPARATOR) { Err(IllegalKey(text.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_gives_the_key_that_dapr_gives() {
        let check_in = |namespace, property, expected: &str| {
            let prefix = KeyPrefix::from_property(property, namespace).unwrap();
            assert_eq!(prefix.apply("k", "store", "app").unwrap(), expected);
        };
        let check = |property, expected| check_in("", property, expected);
        check(None, "app||k");
        check(Some("appid"), "app||k");
        check(Some("Name"), "store||k");
        check(Some("none"), "k");
        check(Some("Team"), "team||k");
        check(Some(""), "||k");
        check(Some("namespace"), "app||k");
        check_in("prod", Some("Namespace"), "prod.app||k");
        check_in("prod", None, "app||k");
    }

    #[test]
    fn separator_is_an_error_in_keys_and_prefixes() {
        assert_eq!(KeyPrefix::AppId.apply("a||b", "s", "a"), Err(IllegalKey("a||b".into())));
        assert!(KeyPrefix::from_property(Some("x||y"), "").is_err());
    }
}
