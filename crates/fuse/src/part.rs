//! What goes into a fused component.

use std::borrow::Cow;

use wit_component::ComponentEncoder;

use crate::error::FuseError;

/// One component and what messages call it.
#[derive(Clone)]
pub struct Part<'a> {
    pub(crate) name: String,
    pub(crate) bytes: Cow<'a, [u8]>,
}

impl<'a> Part<'a> {
    /// A part from the bytes of a component; or from those of a core module that was built with `wit-bindgen` and carries the
    /// description of the component that it is to be, which is made of it here.
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
            _ => Err(FuseError::NoComponent { name, why: "it does not begin with the bytes 00 61 73 6d".to_owned() }),
        }
    }

    /// The component's bytes.
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
