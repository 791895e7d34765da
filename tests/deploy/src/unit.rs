//! systemd units, and environment files.

/// A unit: its settings in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit(Vec<Setting>);

#[derive(Debug, PartialEq, Eq)]
struct Setting {
    section: String,
    name: String,
    value: String,
}

impl Unit {
    /// Parses a unit.
    ///
    /// # Panics
    /// On a line that is neither a section, a setting nor a comment.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut section = String::new();
        let mut settings = Vec::new();
        for line in content_lines(text) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.to_owned();
                continue;
            }
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{line:?} is no setting"));
            settings.push(Setting { section: section.clone(), name: name.to_owned(), value: value.to_owned() });
        }
        Self(settings)
    }

    /// Returns the value of a setting; empty if there is none.
    #[must_use]
    pub fn value(&self, section: &str, name: &str) -> &str {
        let found = self.0.iter().rfind(|setting| setting.section == section && setting.name == name);
        found.map_or("", |setting| &setting.value)
    }
}

/// Parses a file of `NAME=VALUE` lines.
///
/// # Panics
/// On a line that is neither such a line nor a comment.
#[must_use]
pub fn environment(text: &str) -> Vec<(&str, &str)> {
    content_lines(text).map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line:?} is no variable"))).collect()
}

fn content_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_value_counts_and_sections_are_separate() {
        let unit = Unit::parse("# about\n[Unit]\nA=1\n\n[Service]\nA=2\nA=x=3\n");
        assert_eq!((unit.value("Unit", "A"), unit.value("Service", "A"), unit.value("Service", "B")), ("1", "x=3", ""));
    }

    #[test]
    #[should_panic(expected = "no setting")]
    fn invalid_line_is_an_error() {
        let _ = Unit::parse("[Unit]\nwhat\n");
    }
}
