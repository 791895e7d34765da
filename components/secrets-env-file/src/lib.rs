//! Secrets from a file of `NAME=value` lines.
//!
//! One property: `path`, the file as the component sees it; its directory must be granted (`allowDirs`). The file is
//! read for every request, so that changed secrets are seen.

mod parse;

use dapr_component::secrets::{Error, SecretValues};
use dapr_component::{InitError, Metadata, Properties, SecretStore, export_secret_store};

/// The component, with the path of its file.
struct SecretsEnvFile(String);

export_secret_store!(SecretsEnvFile);

impl SecretStore for SecretsEnvFile {
    fn init(properties: Properties) -> Result<Self, InitError> {
        let store = Self(properties.required("path")?.to_owned());
        store.read().map_err(InitError::misconfigured)?;
        Ok(store)
    }

    fn get(&mut self, name: String, _metadata: Metadata) -> Result<SecretValues, Error> {
        let found = self.read().map_err(Error::other)?.into_iter().find(|(its, _)| *its == name);
        found.map(|pair| vec![pair]).ok_or(Error::NotFound)
    }

    fn bulk_get(&mut self, _metadata: Metadata) -> Result<Vec<(String, SecretValues)>, Error> {
        let all = self.read().map_err(Error::other)?;
        Ok(all.into_iter().map(|(name, value)| (name.clone(), vec![(name, value)])).collect())
    }

    fn ping(&mut self) -> Result<(), Error> {
        self.read().map(drop).map_err(Error::unavailable)
    }
}

impl SecretsEnvFile {
    /// Reads all secrets. An error does not show any of the file's contents.
    fn read(&self) -> Result<Vec<(String, String)>, String> {
        let path = &self.0;
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
        parse::parse(&text).map_err(|line| format!("{path}:{line}: a line is NAME=value, a comment or empty"))
    }
}
