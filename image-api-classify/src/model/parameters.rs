//! Parses `model.toml`: parameters that the network's file does not contain. All are optional.
//!
//! ```toml
//! name = "mobilenet-v2"            # default: the name of the directory
//! licence = "Apache-2.0"
//! note = "It knows cats only."     # for users: in the log, `/healthz`, `GET /model` and on the page
//! sha256 = "7aad…"                 # of the network's file; another file is rejected
//!
//! width = 224                      # if the network takes any size
//! height = 224
//! layout = "nchw"                  # or "nhwc"
//! fit = "stretch"                  # or "crop": only the middle of the image, undistorted
//! mean = [0.485, 0.456, 0.406]     # of brightness from 0 to 1, for floating-point input
//! deviation = [0.229, 0.224, 0.225]
//!
//! output = "logits"                # or "probabilities"; detected by default
//! temperature = 1.0                # divisor of logits before softmax
//! unsure_below = 0.5               # below this probability the best class is reported as unsure; the default network
//!                                  # lowers confidence for unknown images itself
//! ```

use serde::{Deserialize, Serialize};

/// Input and output format of a network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Parameters {
    pub(super) name: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) note: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) layout: Option<Layout>,
    pub(super) fit: Fit,
    /// Mean subtracted from red, green and blue.
    pub(super) mean: [f32; 3],
    /// Divisor applied after subtracting the mean.
    pub(super) deviation: [f32; 3],
    pub(super) output: Option<Output>,
    pub(super) temperature: f32,
    pub(super) unsure_below: f32,
}

/// Order of the input's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    /// Pixel by pixel.
    Nhwc,
    /// Colour by colour.
    Nchw,
}

/// Conversion of an image with another aspect ratio.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fit {
    /// Shows the whole image, distorted.
    #[default]
    Stretch,
    /// Shows the largest centred part that fits, undistorted.
    Crop,
}

/// Kind of the network's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Output {
    /// Logits; softmax converts them to probabilities.
    Logits,
    /// Probabilities from 0 to 1.
    Probabilities,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            name: None,
            licence: None,
            note: None,
            sha256: None,
            width: None,
            height: None,
            layout: None,
            fit: Fit::default(),
            mean: [0.0; 3],
            deviation: [1.0; 3],
            output: None,
            temperature: 1.0,
            unsure_below: 0.0,
        }
    }
}

impl Parameters {
    /// Parses the file.
    ///
    /// # Errors
    /// If it is not TOML, has an unknown key, or an invalid value.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let parameters: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let all_finite = parameters.mean.iter().chain(&parameters.deviation).all(|value| value.is_finite());
        if !all_finite || parameters.deviation.contains(&0.0) {
            return Err("mean and deviation are three numbers each, and no deviation is 0".to_owned());
        }
        if !(parameters.temperature.is_finite() && parameters.temperature > 0.0) {
            return Err(format!("the temperature {} is not above 0", parameters.temperature));
        }
        if !(0.0..=1.0).contains(&parameters.unsure_below) {
            return Err(format!("unsure_below = {} is not from 0 to 1", parameters.unsure_below));
        }
        Ok(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_file_gives_defaults() {
        assert_eq!(Parameters::read("").unwrap(), Parameters::default());
    }

    #[test]
    fn unknown_parameter_is_an_error() {
        assert!(Parameters::read("widht = 224").unwrap_err().contains("widht"));
        let parameters = Parameters::read("layout = \"nchw\"\nfit = \"crop\"\nmean = [0.5, 0.5, 0.5]").unwrap();
        assert_eq!((parameters.layout, parameters.fit, parameters.mean), (Some(Layout::Nchw), Fit::Crop, [0.5; 3]));
    }

    #[test]
    fn invalid_parameter_values_are_errors() {
        for text in [
            "temperature = 0.0",
            "temperature = nan",
            "unsure_below = 1.5",
            "unsure_below = nan",
            "mean = [nan, 0.0, 0.0]",
        ] {
            assert!(Parameters::read(text).is_err(), "{text}");
        }
        assert!(Parameters::read("deviation = [1.0, 0.0, 1.0]").unwrap_err().contains("deviation"));
    }
}
