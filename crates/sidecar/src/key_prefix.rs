//! How an application's keys become a store's: `dapr/pkg/components/state/state_config.go`.

/// Between a prefix and a key.
const SEPARATOR: &str = "||";

/// The strategy in a state store's `keyPrefix`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyPrefix {
    /// `appid`: the application's id, so that applications sharing a store do not meet.
    #[default]
    AppId,
    /// `name`: the store's name, so that all applications share its keys.
    StoreName,
    /// `none`: keys as they are.
    None,
    /// Any other text, as it is.
    Literal(String),
}

/// A key or prefix that contains the separator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("input key/keyPrefix '{0}' can't contain '||'")]
pub struct IllegalKey(pub String);

impl KeyPrefix {
    /// Reads the property, which may be absent.
    ///
    /// # Errors
    /// When it contains the separator.
    pub fn from_property(property: Option<&str>) -> Result<Self, IllegalKey> {
        let Some(text) = property else { return Ok(Self::AppId) };
        legal(text)?;
        Ok(match text.to_lowercase().as_str() {
            // Namespaces are Kubernetes'; without one this is the application's id, as in Dapr.
            "" | "appid" | "namespace" => Self::AppId,
            "name" => Self::StoreName,
            "none" => Self::None,
            literal => Self::Literal(literal.to_owned()),
        })
    }

    /// The store's key for an application's `key`.
    ///
    /// # Errors
    /// When `key` contains the separator.
    pub fn apply(&self, key: &str, store: &str, app_id: &str) -> Result<String, IllegalKey> {
        legal(key)?;
        let prefix = match self {
            Self::AppId => app_id,
            Self::StoreName => store,
            Self::Literal(literal) => literal,
            Self::None => "",
        };
        Ok(if prefix.is_empty() { key.to_owned() } else { format!("{prefix}{SEPARATOR}{key}") })
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
        let check = |property, expected: &str| {
            let prefix = KeyPrefix::from_property(property).unwrap();
            assert_eq!(prefix.apply("k", "store", "app").unwrap(), expected);
        };
        check(None, "app||k");
        check(Some("appid"), "app||k");
        check(Some("Name"), "store||k");
        check(Some("none"), "k");
        check(Some("Team"), "team||k");
    }

    #[test]
    fn the_separator_is_refused_in_keys_and_prefixes() {
        assert_eq!(KeyPrefix::AppId.apply("a||b", "s", "a"), Err(IllegalKey("a||b".into())));
        assert!(KeyPrefix::from_property(Some("x||y")).is_err());
    }
}
