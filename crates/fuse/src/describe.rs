//! What a component is: imports, exports, and who made it.

use std::fmt;

use wasm_metadata::Payload;

use crate::compose;
use crate::error::FuseError;
use crate::part::Part;

/// What a component is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// What it wants from outside.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
    /// The languages and tools that it and its parts were made with.
    pub producers: Vec<String>,
    /// The size of the file.
    pub bytes: usize,
}

/// Reads what a component is from its bytes.
///
/// # Errors
/// When it is damaged.
pub fn describe(part: &Part<'_>) -> Result<Description, FuseError> {
    let (imports, exports) = compose::interfaces(part)?;
    let payload = Payload::from_binary(part.bytes());
    let payload =
        payload.map_err(|error| FuseError::NoComponent { name: part.name.clone(), why: format!("{error:#}") })?;
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
