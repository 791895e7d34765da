//! Description of a component: imports, exports and producers.

use std::fmt;

use wasm_metadata::Payload;

use crate::compose;
use crate::error::FuseError;
use crate::part::Part;

/// Description of a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Imported interfaces.
    pub imports: Vec<String>,
    /// Exported interfaces.
    pub exports: Vec<String>,
    /// Languages and tools with which the component and its parts were built.
    pub producers: Vec<String>,
    /// Size of the file, in bytes.
    pub bytes: usize,
}

/// Describes a component from its bytes.
///
/// # Errors
/// When the component is damaged.
pub fn describe(part: &Part<'_>) -> Result<Description, FuseError> {
    let (imports, exports) = compose::interfaces(part)?;
    let payload = Payload::from_binary(part.bytes());
    let payload =
        payload.map_err(|error| FuseError::InvalidComponent { name: part.name.clone(), why: format!("{error:#}") })?;
    let mut producers = Vec::new();
    collect(&payload, &mut producers);
    producers.sort();
    producers.dedup();
    Ok(Description { imports, exports, producers, bytes: part.bytes().len() })
}

fn collect(payload: &Payload, producers: &mut Vec<String>) {
    for (field, values) in payload.metadata().producers.iter().flat_map(|producers| producers.iter()) {
        producers.extend(values.iter().map(|(name, version)| format!("{field}: {name} {version}").trim().to_owned()));
    }
    if let Payload::Component { children, .. } = payload {
        children.iter().for_each(|child| collect(child, producers));
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [("imports", &self.imports), ("exports", &self.exports), ("made with", &self.producers)];
        write!(f, "{} bytes", self.bytes)?;
        for (what, names) in lists {
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join("\n             ") };
            write!(f, "\n  {what:<10} {names}")?;
        }
        Ok(())
    }
}
