//! Features that a state store declares. `components-contrib/state/feature.go`.

use std::fmt;

/// A feature, named as in Dapr's metadata API and its pluggable-component protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateFeature {
    /// Writes and deletes may carry an etag and fail when it is stale.
    Etag,
    /// [`transact`](super::StateStore::transact) works.
    Transactional,
    /// The query API (alpha).
    QueryApi,
    /// `ttlInSeconds` is honoured.
    Ttl,
    /// All keys below a prefix can be deleted at once (used by actors).
    DeleteWithPrefix,
    /// Partition keys are honoured.
    PartitionKey,
    /// Keys can be listed by a pattern.
    KeysLike,
}

impl StateFeature {
    /// All features, in Dapr's order.
    pub const ALL: [Self; 7] = [
        Self::Etag,
        Self::Transactional,
        Self::QueryApi,
        Self::Ttl,
        Self::DeleteWithPrefix,
        Self::PartitionKey,
        Self::KeysLike,
    ];

    /// Dapr's name of the feature.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Etag => "ETAG",
            Self::Transactional => "TRANSACTIONAL",
            Self::QueryApi => "QUERY_API",
            Self::Ttl => "TTL",
            Self::DeleteWithPrefix => "DELETE_WITH_PREFIX",
            Self::PartitionKey => "PARTITION_KEY",
            Self::KeysLike => "KEYS_LIKE",
        }
    }

    /// Looks up a feature by Dapr's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.as_str() == name)
    }
}

impl fmt::Display for StateFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of features; cheap to copy.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StateFeatures(u8);

impl StateFeatures {
    /// Creates the set of exactly these features.
    pub const fn new(features: &[StateFeature]) -> Self {
        let mut set = 0;
        let mut rest = features;
        while let [feature, others @ ..] = rest {
            set |= 1 << *feature as u8;
            rest = others;
        }
        Self(set)
    }

    /// Returns whether `feature` is in the set.
    pub const fn contains(self, feature: StateFeature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    /// Iterates over the features of the set, in Dapr's order.
    pub fn iter(self) -> impl Iterator<Item = StateFeature> {
        StateFeature::ALL.into_iter().filter(move |feature| self.contains(*feature))
    }
}

impl FromIterator<StateFeature> for StateFeatures {
    fn from_iter<I: IntoIterator<Item = StateFeature>>(features: I) -> Self {
        features.into_iter().fold(Self::default(), |set, feature| Self(set.0 | Self::new(&[feature]).0))
    }
}

impl fmt::Debug for StateFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_set_holds_exactly_its_features() {
        let set = StateFeatures::new(&[StateFeature::KeysLike, StateFeature::Etag]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [StateFeature::Etag, StateFeature::KeysLike]);
        assert!(!set.contains(StateFeature::Ttl));
        assert_eq!(set.iter().collect::<StateFeatures>(), set);
    }

    #[test]
    fn every_feature_is_found_by_its_own_name() {
        for feature in StateFeature::ALL {
            assert_eq!(StateFeature::from_name(feature.as_str()), Some(feature));
        }
        assert_eq!(StateFeature::from_name("etag"), None);
    }
}
