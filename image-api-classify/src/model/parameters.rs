//! `model.toml`: what cannot be read off the network. All of it may be left out.
//!
//! ```toml
//! width = 224                      # where the network takes any size
//! height = 224
//! layout = "nchw"                  # or "nhwc"
//! mean = [0.485, 0.456, 0.406]     # of brightness from 0 to 1, for networks of floating-point numbers
//! deviation = [0.229, 0.224, 0.225]
//! ```

use serde::Deserialize;

/// How a network wants its picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Parameters {
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) layout: Option<Layout>,
    /// What is subtracted from red, green and blue.
    pub(super) mean: [f32; 3],
    /// What the difference is divided by.
    pub(super) deviation: [f32; 3],
}

/// The order of a picture's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    /// Pixel by pixel.
    Nhwc,
    /// Colour by colour.
    Nchw,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { width: None, height: None, layout: None, mean: [0.0; 3], deviation: [1.0; 3] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_leaves_everything_to_the_network() {
        assert_eq!(toml::from_str::<Parameters>("").unwrap(), Parameters::default());
    }

    #[test]
    fn a_misspelt_parameter_is_a_mistake() {
        assert!(toml::from_str::<Parameters>("widht = 224").unwrap_err().to_string().contains("widht"));
        let parameters: Parameters = toml::from_str("layout = \"nchw\"\nmean = [0.5, 0.5, 0.5]").unwrap();
        assert_eq!((parameters.layout, parameters.mean), (Some(Layout::Nchw), [0.5; 3]));
    }
}
