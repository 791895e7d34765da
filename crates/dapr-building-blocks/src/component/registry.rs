//! The registry of component types, by the name used in YAML.

use std::collections::BTreeMap;
use std::future::Future;

use futures_util::future::BoxFuture;
use thiserror::Error;

use super::{Component, ComponentSpec, Context, InitError};

/// Minimum similarity of two type names (0 to 1) to suggest one for the other.
const MIN_SIMILARITY: f64 = 0.7;

type Constructor =
    Box<dyn Fn(ComponentSpec, Context) -> BoxFuture<'static, Result<Component, InitError>> + Send + Sync>;

/// Creates components by type. Types are case-insensitive, as in `dapr/pkg/components/*/registry.go`.
#[derive(Default)]
pub struct Registry(BTreeMap<String, Constructor>);

/// An error of creating a component by the registry.
#[derive(Debug, Error)]
pub enum CreateError {
    /// The type is not in this build.
    #[error("component {name:?}: unknown type {type_:?}{}; {}", did_you_mean(suggestion.as_deref()), known_types(type_, known))]
    UnknownType {
        /// Name of the component.
        name: String,
        /// Requested type.
        type_: String,
        /// The most similar known type, if any.
        suggestion: Option<String>,
        /// Known types of the same building block; all types, if it has none.
        known: Vec<String>,
    },
    /// The type has no such version.
    #[error("component {name:?}: {type_} has no version {version:?}, only v1")]
    UnknownVersion {
        /// Name of the component.
        name: String,
        /// Type of the component.
        type_: String,
        /// Requested version.
        version: String,
    },
    /// The component's constructor failed.
    #[error("component {name:?} ({type_}): {source}")]
    Init {
        /// Name of the component.
        name: String,
        /// Type of the component.
        type_: String,
        /// Error of the constructor.
        source: InitError,
    },
}

impl CreateError {
    /// Returns whether a later attempt may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Init { source, .. } if source.is_retryable())
    }
}

impl Registry {
    /// Registers a type with its constructor. A later registration of the same type replaces the earlier one.
    pub fn register<C, F>(&mut self, type_: &str, constructor: C)
    where
        C: Fn(ComponentSpec, Context) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Component, InitError>> + Send + 'static,
    {
        let constructor: Constructor = Box::new(move |spec, context| Box::pin(constructor(spec, context)));
        self.0.insert(type_.to_ascii_lowercase(), constructor);
    }

    /// Lists the registered types, in alphabetical order.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns whether `type_` is registered.
    pub fn knows(&self, type_: &str) -> bool {
        self.0.contains_key(&type_.to_ascii_lowercase())
    }

    /// Returns the registered type most similar to `type_`, if any is similar enough.
    pub fn suggest(&self, type_: &str) -> Option<&str> {
        let requested = type_.to_ascii_lowercase();
        self.types()
            .map(|known| (strsim::jaro_winkler(&requested, known), known))
            .filter(|(likeness, _)| *likeness >= MIN_SIMILARITY)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known)
    }

    /// Lists the types of the building block of `type_`; all types, if it has none.
    fn types_of_same_block(&self, type_: &str) -> Vec<String> {
        let block = type_.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_same_block = |known: &&str| known.split('.').next() == Some(block.as_str());
        let same_block: Vec<_> = self.types().filter(is_same_block).map(str::to_owned).collect();
        if same_block.is_empty() { self.types().map(str::to_owned).collect() } else { same_block }
    }

    /// Checks the type and version of `spec`. Does no I/O.
    pub fn check(&self, spec: &ComponentSpec) -> Result<(), CreateError> {
        self.constructor(spec).map(|_| ())
    }

    /// Creates one component. May be called again with the same spec when the error is retryable.
    pub async fn create(&self, spec: ComponentSpec, context: Context) -> Result<Component, CreateError> {
        let constructor = self.constructor(&spec)?;
        let (name, type_) = (spec.name.clone(), spec.type_.clone());
        constructor(spec, context).await.map_err(|source| CreateError::Init { name, type_, source })
    }

    fn constructor(&self, spec: &ComponentSpec) -> Result<&Constructor, CreateError> {
        let constructor = self.0.get(&spec.type_.to_ascii_lowercase()).ok_or_else(|| CreateError::UnknownType {
            name: spec.name.clone(),
            type_: spec.type_.clone(),
            suggestion: self.suggest(&spec.type_).map(str::to_owned),
            known: self.types_of_same_block(&spec.type_),
        })?;
        // dapr/pkg/components/versioning.go: v0 preceded v1, and an empty version means either.
        if matches!(spec.version.as_str(), "" | "v0" | "v1") {
            Ok(constructor)
        } else {
            Err(CreateError::UnknownVersion {
                name: spec.name.clone(),
                type_: spec.type_.clone(),
                version: spec.version.clone(),
            })
        }
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|known| format!(", did you mean {known:?}?")).unwrap_or_default()
}

fn known_types(type_: &str, known: &[String]) -> String {
    let block = type_.split('.').next().unwrap_or_default();
    format!("of {block} this build has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        let mut registry = Registry::default();
        registry.register("state.in-memory", |_, _| async { Ok(Component::default()) });
        registry.register("state.sqlite", |_, _| async { Err(InitError::unavailable("the server is down")) });
        registry.register("bindings.cron", |_, _| async { Err(InitError::misconfigured("no schedule")) });
        registry
    }

    fn spec(type_: &str) -> ComponentSpec {
        ComponentSpec { name: "store".into(), type_: type_.into(), ..ComponentSpec::default() }
    }

    async fn failure(spec: ComponentSpec) -> CreateError {
        registry().create(spec, Context::default()).await.err().unwrap()
    }

    #[tokio::test]
    async fn known_type_is_created_in_any_case() {
        assert!(registry().create(spec("State.In-Memory"), Context::default()).await.is_ok());
    }

    #[tokio::test]
    async fn unknown_type_suggests_the_most_similar_one() {
        let error = failure(spec("state.sqllite")).await;
        assert_eq!(
            error.to_string(),
            "component \"store\": unknown type \"state.sqllite\", did you mean \"state.sqlite\"?; of state this build has \
             state.in-memory, state.sqlite"
        );
        assert!(!failure(spec("xyz")).await.to_string().contains("did you mean"));
    }

    #[tokio::test]
    async fn unknown_version_is_an_error() {
        let error = failure(ComponentSpec { version: "v2".into(), ..spec("state.sqlite") }).await;
        assert_eq!(error.to_string(), "component \"store\": state.sqlite has no version \"v2\", only v1");
    }

    #[tokio::test]
    async fn only_unavailability_is_retryable() {
        assert!(failure(spec("state.sqlite")).await.is_retryable());
        assert!(!failure(spec("bindings.cron")).await.is_retryable());
        assert!(!failure(spec("nothing")).await.is_retryable());
    }
}
