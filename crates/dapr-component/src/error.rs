//! Constructors of the contract's errors, from anything that can be displayed.

use std::fmt::Display;

use crate::{InitError, PropertyError, binding, secrets, state};

macro_rules! constructors {
    ($error:ty { $($(#[$doc:meta])* $constructor:ident -> $variant:ident,)* }) => {
        impl $error {
            $(
                $(#[$doc])*
                pub fn $constructor(error: impl Display) -> Self {
                    Self::$variant(error.to_string())
                }
            )*
        }
    };
}

constructors! {
    InitError {
        /// Creates a permanent error: a property is invalid or missing. The text must show no property's value.
        misconfigured -> Misconfigured,
        /// Creates a transient error: a later attempt may succeed. The text must show no property's value.
        unavailable -> Unavailable,
    }
}

constructors! {
    state::Error {
        /// Creates the error of an etag in a format that the store never issues.
        invalid_etag -> InvalidEtag,
        /// Creates the error of an operation that the store does not support, named in the plural: `transactions`.
        unsupported -> Unsupported,
        /// Creates the error of an invalid request.
        invalid_request -> InvalidRequest,
        /// Creates the error of a backend that cannot be reached now.
        unavailable -> Unavailable,
        /// Creates any other error.
        other -> Other,
    }
}

constructors! {
    secrets::Error {
        /// Creates the error of a backend that cannot be reached now.
        unavailable -> Unavailable,
        /// Creates any other error. The text must show no secret's value.
        other -> Other,
    }
}

constructors! {
    binding::Error {
        /// Creates the error of an invalid request.
        invalid_request -> InvalidRequest,
        /// Creates the error of a target that cannot be reached now.
        unavailable -> Unavailable,
        /// Creates any other error.
        other -> Other,
    }
}

impl state::Error {
    /// Creates the error of an etag that does not match.
    pub fn etag_mismatch(details: impl Display) -> Self {
        Self::EtagMismatch(Some(details.to_string()))
    }
}

impl From<PropertyError> for InitError {
    fn from(error: PropertyError) -> Self {
        Self::misconfigured(error)
    }
}
