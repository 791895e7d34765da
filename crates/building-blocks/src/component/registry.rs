//! The component types that this program carries, by the string that a YAML names them with.

use std::collections::BTreeMap;
use std::future::Future;

use futures_util::future::BoxFuture;
use thiserror::Error;

use super::{Component, ComponentSpec, Context, InitError};

/// How alike two type names must be (0 to 1) for one to be suggested for the other.
const SIMILAR: f64 = 0.7;

type Constructor =
    Box<dyn Fn(ComponentSpec, Context) -> BoxFuture<'static, Result<Component, InitError>> + Send + Sync>;

/// Makes components by type. Types are case-insensitive, as in `dapr/pkg/components/*/registry.go`.
#[derive(Default)]
pub struct Registry(BTreeMap<String, Constructor>);

/// Why the registry gave no component.
#[derive(Debug, Error)]
pub enum CreateError {
    /// No component of this type is in this program.
    #[error("component {name:?}: unknown type {type_:?}{}; {}", did_you_mean(suggestion.as_deref()), known_types(type_, known))]
    UnknownType {
        /// The component's name.
        name: String,
        /// The type it asks for.
        type_: String,
        /// The known type that is most like it, if any is.
        suggestion: Option<String>,
        /// The known types of the same building block; all, where it has none.
        known: Vec<String>,
    },
    /// The type is known, this version of it is not.
    #[error("component {name:?}: {type_} has no version {version:?}, only v1")]
    UnknownVersion {
        /// The component's name.
        name: String,
        /// Its type.
        type_: String,
        /// The version it asks for.
        version: String,
    },
    /// The component's constructor failed.
    #[error("component {name:?} ({type_}): {source}")]
    Init {
        /// The component's name.
        name: String,
        /// Its type.
        type_: String,
        /// What went wrong, and whether trying again may help.
        source: InitError,
    },
}

impl CreateError {
    /// Whether trying again later may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Init { source, .. } if source.is_retryable())
    }
}

impl Registry {
    /// Adds a type with the function that makes it. A later registration of the same type replaces the earlier one.
    pub fn register<C, F>(&mut self, type_: &str, constructor: C)
    where
        C: Fn(ComponentSpec, Context) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Component, InitError>> + Send + 'static,
    {
        let constructor: Constructor = Box::new(move |spec, context| Box::pin(constructor(spec, context)));
        self.0.insert(type_.to_ascii_lowercase(), constructor);
    }

    /// The types there are, in alphabetical order.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether `type_` is one that this program carries.
    pub fn knows(&self, type_: &str) -> bool {
        self.0.contains_key(&type_.to_ascii_lowercase())
    }

    /// The known type that is most like `type_`, if one is like it at all.
    pub fn suggest(&self, type_: &str) -> Option<&str> {
        let wanted = type_.to_ascii_lowercase();
        self.types()
            .map(|known| (strsim::jaro_winkler(&wanted, known), known))
            .filter(|(likeness, _)| *likeness >= SIMILAR)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known)
    }

    /// The types of the building block of `type_`; all types, where it has none.
    fn types_beside(&self, type_: &str) -> Vec<String> {
        let block = type_.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_beside = |known: &&str| known.split('.').next() == Some(block.as_str());
        let beside: Vec<_> = self.types().filter(is_beside).map(str::to_owned).collect();
        if beside.is_empty() { self.types().map(str::to_owned).collect() } else { beside }
    }

    /// Whether the registry could make `spec` at all: its type and version are known. Does no I/O.
    pub fn check(&self, spec: &ComponentSpec) -> Result<(), CreateError> {
        self.constructor(spec).map(|_| ())
    }

    /// Makes one component. May be called again with the same spec when the error is retryable.
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
            known: self.types_beside(&spec.type_),
        })?;
        // dapr/pkg/components/versioning.go: v0 is what came before v1, and both are what no version means.
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
    async fn a_known_type_is_made_whatever_its_case() {
        assert!(registry().create(spec("State.In-Memory"), Context::default()).await.is_ok());
    }

    #[tokio::test]
    async fn an_unknown_type_names_the_nearest_known_one() {
        let error = failure(spec("state.sqllite")).await;
        assert_eq!(
            error.to_string(),
            "component \"store\": unknown type \"state.sqllite\", did you mean \"state.sqlite\"?; of state this build has \
             state.in-memory, state.sqlite"
        );
        assert!(!failure(spec("xyz")).await.to_string().contains("did you mean"));
    }

    #[tokio::test]
    async fn an_unknown_version_is_refused() {
        let error = failure(ComponentSpec { version: "v2".into(), ..spec("state.sqlite") }).await;
        assert_eq!(error.to_string(), "component \"store\": state.sqlite has no version \"v2\", only v1");
    }

    #[tokio::test]
    async fn only_what_time_may_mend_is_retryable() {
        assert!(failure(spec("state.sqlite")).await.is_retryable());
        assert!(!failure(spec("bindings.cron")).await.is_retryable());
        assert!(!failure(spec("nothing")).await.is_retryable());
    }
}
