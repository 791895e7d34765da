//! Recorded responses.

/// The compared parts of an HTTP response.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecordedResponse {
    /// Status; zero if there was no response, with the reason in the body.
    pub status: u16,
    /// Headers in alphabetical order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RecordedResponse {
    /// Returns the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Formats the complete response for reading: status, headers and body on separate lines.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push_str(&shorten(&self.text(), 2000));
        text
    }

    /// Formats status and start of the body for a table.
    #[must_use]
    pub fn in_short(&self, width: usize) -> String {
        let text = self.text().replace(['\n', '\r'], " ");
        shorten(&format!("{} {}", self.status, text.trim_end()), width)
    }
}

fn shorten(text: &str, width: usize) -> String {
    let mut kept: String = text.chars().take(width).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}
