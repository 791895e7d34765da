//! Why components do not become one.

/// Why components do not become one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FuseError {
    /// A part is no WebAssembly, or damaged.
    #[error("{name} is no component: {why}")]
    NoComponent {
        /// The part.
        name: String,
        /// Why not.
        why: String,
    },
    /// A part is a core module from which no component can be made.
    #[error("{name} is a core module that does not say what component it is to be: {why}")]
    Componentise {
        /// The part.
        name: String,
        /// Why not.
        why: String,
    },
    /// A part provides nothing that is wanted.
    #[error("{provider} provides {}, but {consumer} imports {}", list(provides), list(imports))]
    NothingInCommon {
        /// Who provides.
        provider: String,
        /// What it exports.
        provides: Vec<String>,
        /// Who wants.
        consumer: String,
        /// What it imports.
        imports: Vec<String>,
    },
    /// A part provides an interface that is wanted, but in another version or with other types.
    #[error("{provider} provides {provided}, which does not fit {imported} that {consumer} imports")]
    Unfit {
        /// Who provides.
        provider: String,
        /// What it exports.
        provided: String,
        /// Who wants.
        consumer: String,
        /// What it imports.
        imported: String,
    },
    /// The parts do not go together for another reason.
    #[error("they cannot be composed: {0}")]
    Compose(String),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
