//! Errors of composing components.

/// Reason why components cannot be composed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FuseError {
    /// A part is not WebAssembly, or is damaged.
    #[error("{name} is not a component: {why}")]
    InvalidComponent {
        /// Name of the part.
        name: String,
        /// Cause of the error.
        why: String,
    },
    /// A part is a core module that cannot be turned into a component.
    #[error("{name} is a core module that cannot be turned into a component: {why}")]
    Componentise {
        /// Name of the part.
        name: String,
        /// Cause of the error.
        why: String,
    },
    /// A part exports nothing that is imported.
    #[error("{provider} provides {}, but {consumer} imports {}", list(provides), list(imports))]
    NoMatchingInterface {
        /// Name of the provider.
        provider: String,
        /// Exports of the provider.
        provides: Vec<String>,
        /// Name of the consumer.
        consumer: String,
        /// Imports of the consumer.
        imports: Vec<String>,
    },
    /// A part exports an imported interface in another version or with other types.
    #[error("{provider} provides {provided}, which does not fit {imported} that {consumer} imports")]
    Incompatible {
        /// Name of the provider.
        provider: String,
        /// Export of the provider.
        provided: String,
        /// Name of the consumer.
        consumer: String,
        /// Import of the consumer.
        imported: String,
    },
    /// The parts cannot be composed for another reason.
    #[error("the components cannot be composed: {0}")]
    Compose(String),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
