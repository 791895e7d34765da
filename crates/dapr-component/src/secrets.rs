//! Secret stores: read-only secrets by name.

use crate::contract::secret_store::exports::dapr::components::secrets::Guest;
pub use crate::contract::secret_store::exports::dapr::components::secrets::{Error, Features};
use crate::export::{Exported, Exports, call, keep};
use crate::{InitError, Metadata, Properties};

/// Values of one secret by key. A store of plain values has one, under the secret's own name.
pub type SecretValues = Vec<(String, String)>;

/// A secret store; [`export_secret_store!`](crate::export_secret_store) exports it.
///
/// ```
/// use dapr_component::secrets::{Error, SecretValues};
/// use dapr_component::{InitError, Metadata, Properties, SecretStore, export_secret_store};
///
/// /// A store with the one secret `token`.
/// struct Token(String);
///
/// impl SecretStore for Token {
///     fn init(properties: Properties) -> Result<Self, InitError> {
///         Ok(Self(properties.required("token")?.to_owned()))
///     }
///
///     fn get(&mut self, name: String, _metadata: Metadata) -> Result<SecretValues, Error> {
///         if name == "token" { Ok(vec![(name, self.0.clone())]) } else { Err(Error::NotFound) }
///     }
///
///     fn bulk_get(&mut self, metadata: Metadata) -> Result<Vec<(String, SecretValues)>, Error> {
///         let token = "token".to_owned();
///         Ok(vec![(token.clone(), self.get(token, metadata)?)])
///     }
/// }
///
/// export_secret_store!(Token);
/// ```
pub trait SecretStore: Sized + 'static {
    /// Creates the store from its properties. Called once, before anything else.
    ///
    /// # Errors
    /// When a property is wrong, or a dependency is not available now.
    fn init(properties: Properties) -> Result<Self, InitError>;

    /// Returns the store's optional features; none by default. Called once, after [`init`](Self::init).
    fn describe(&self) -> Features {
        Features::empty()
    }

    /// Reads the values of the secret `name`.
    ///
    /// # Errors
    /// When there is no such secret, or the store cannot be read. The text must not show a secret's value.
    fn get(&mut self, name: String, metadata: Metadata) -> Result<SecretValues, Error>;

    /// Reads all secrets with their names.
    ///
    /// # Errors
    /// When the store cannot be read. The text must not show a secret's value.
    fn bulk_get(&mut self, metadata: Metadata) -> Result<Vec<(String, SecretValues)>, Error>;

    /// Checks that the store can be reached now; by default it can.
    ///
    /// # Errors
    /// When it cannot.
    fn ping(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<S: SecretStore + Exported> Guest for Exports<S> {
    fn init(properties: Vec<(String, String)>) -> Result<(), InitError> {
        S::init(Properties::from_secrets(properties)).map(keep)
    }

    fn describe() -> Features {
        call(|store: &mut S| store.describe())
    }

    fn get(name: String, metadata: Metadata) -> Result<SecretValues, Error> {
        call(|store: &mut S| store.get(name, metadata))
    }

    fn bulk_get(metadata: Metadata) -> Result<Vec<(String, SecretValues)>, Error> {
        call(|store: &mut S| store.bulk_get(metadata))
    }

    fn ping() -> Result<(), Error> {
        call(S::ping)
    }
}
