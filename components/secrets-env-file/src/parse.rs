//! Parser of `NAME=value` lines.

/// Parses the pairs in order; a later pair replaces earlier ones of its name. Fails with the number of the first
/// invalid line.
///
/// A value may be in double or single quotes, which are removed. `export` before a name, comments (`#`) and empty lines
/// are ignored.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(number + 1)?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(number + 1);
        }
        pairs.retain(|(its, _)| its != name);
        pairs.push((name.to_owned(), unquote(value.trim()).to_owned()));
    }
    Ok(pairs)
}

fn unquote(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_literal_and_quotes_are_removed() {
        let text = "# a comment\n\nA=1\nexport B = two words \nC=\"quoted = too\"\nD='#'\nE=\nA=3\r\n";
        let pairs = parse(text).unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("B", "two words"), ("C", "quoted = too"), ("D", "#"), ("E", ""), ("A", "3")]);
    }

    #[test]
    fn invalid_line_is_reported_by_number() {
        assert_eq!(parse("A=1\nhunter2\n"), Err(2));
        assert_eq!(parse("=1"), Err(1));
        assert_eq!(parse("a b=1"), Err(1));
    }
}
