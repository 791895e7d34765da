//! Responses: a sentence, or JSON.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, HeaderName, VARY};
use serde::Serialize;

use crate::classes::Class;
use crate::model::{Classified, Description, milliseconds};

/// Shown by a browser's developer tools.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Result for one image.
pub(crate) struct Finding<'a> {
    pub(crate) model: &'a Description,
    pub(crate) classified: Classified,
    pub(crate) decoding: Duration,
}

/// JSON form of a result: the likeliest classes.
#[derive(Serialize)]
pub(crate) struct Top<'a> {
    model: &'a str,
    unsure: bool,
    classes: &'a [Class],
    times_ms: Times,
}

#[derive(Serialize)]
struct Times {
    decode: f64,
    preprocess: f64,
    inference: f64,
}

impl Finding<'_> {
    /// Formats the sentence of the WasmEdge template, or a warning below the model's confidence threshold.
    pub(crate) fn sentence(&self) -> String {
        let Some(best) = self.classified.classes.first() else { return "nothing is detected".to_owned() };
        let Class { label, score, .. } = best;
        if self.is_unsure() {
            format!("unsure: {label} is the best guess with {score}/255 confidence")
        } else {
            format!("{label} is detected with {score}/255 confidence")
        }
    }

    /// Returns the `count` likeliest classes.
    pub(crate) fn top(&self, count: usize) -> Top<'_> {
        let classes = &self.classified.classes;
        Top {
            model: &self.model.name,
            unsure: self.is_unsure(),
            classes: classes.get(..count).unwrap_or(classes),
            times_ms: self.times(),
        }
    }

    /// Returns the `Server-Timing` header with the time of each step.
    pub(crate) fn server_timing(&self) -> [(HeaderName, String); 1] {
        let Times { decode, preprocess, inference } = self.times();
        let times = format!("decode;dur={decode}, preprocess;dur={preprocess}, inference;dur={inference}");
        [(SERVER_TIMING, times)]
    }

    fn is_unsure(&self) -> bool {
        self.classified.classes.first().is_some_and(|best| best.probability < self.model.output.unsure_below)
    }

    fn times(&self) -> Times {
        Times {
            decode: milliseconds(self.decoding),
            preprocess: milliseconds(self.classified.preprocessing),
            inference: milliseconds(self.classified.inference),
        }
    }
}

/// Creates a response that depends on `Accept`.
pub(crate) fn with_type(media_type: &'static str, body: String) -> Response {
    ([(CONTENT_TYPE, media_type), (VARY, "Accept")], body).into_response()
}
