//! Parts of a composed component.

use std::borrow::Cow;

use wit_component::ComponentEncoder;

use crate::error::FuseError;

/// Component, with its name in messages.
#[derive(Clone)]
pub struct Part<'a> {
    pub(crate) name: String,
    pub(crate) bytes: Cow<'a, [u8]>,
}

impl<'a> Part<'a> {
    /// Creates a part from a component, or from a core module that was built with `wit-bindgen`.
    ///
    /// Such a module contains the metadata with which it is turned into a component here.
    ///
    /// # Errors
    /// When the bytes are neither.
    pub fn new(name: impl Into<String>, bytes: &'a [u8]) -> Result<Self, FuseError> {
        let name = name.into();
        match bytes {
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(Self { name, bytes: bytes.into() }),
            [0, b'a', b's', b'm', ..] => match componentise(bytes) {
                Ok(component) => Ok(Self { name, bytes: component.into() }),
                Err(why) => Err(FuseError::Componentise { name, why }),
            },
            _ => Err(FuseError::InvalidComponent {
                name,
                why: "it does not begin with the bytes 00 61 73 6d".to_owned(),
            }),
        }
    }

    /// Returns the component's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn componentise(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.validate(true).module(module).and_then(|encoder| encoder.encode());
    encoded.map_err(|error| format!("{error:#}"))
}
