//! Checks of the language guide that a machine can make.

/// First words of documentation without a subject.
const HEADLESS: &[&str] = &["What", "Who", "Whose", "Whether", "Where", "How"];

/// Retired names of types.
const RETIRED: &[&str] = &[
    "Accounting",
    "Around",
    "Bed",
    "Blow",
    "Door",
    "Fate",
    "HeadClock",
    "ImportsFace",
    "HttpFace",
    "Mistakes",
    "Mood",
    "Problems",
    "Told",
    "Turnstile",
    "Victim",
    "Ways",
];

/// Names of constants that do not say what they limit.
const NAMELESS: &[&str] = &["BRIEF", "MOST", "PATIENCE", "PAUSE", "ROOM", "SLOP"];

/// Longest name of a test.
const MAX_TEST_NAME: usize = 60;

/// Checks one Rust file.
pub(super) fn check(text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let (mut was_doc, mut is_test) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let number = number + 1;
        let doc = line.strip_prefix("//! ").or_else(|| line.strip_prefix("/// "));
        if let Some(word) = doc.filter(|_| !was_doc).and_then(|doc| HEADLESS.iter().find(|word| begins_with(doc, word)))
        {
            errors.push(format!("line {number}: documentation begins with {word:?}; begin with a verb or a noun"));
        }
        was_doc = line.starts_with("//!") || line.starts_with("///");
        if let Some(name) = item(line, "const ").filter(|name| NAMELESS.contains(name)) {
            errors.push(format!("line {number}: the constant {name} does not say what it limits"));
        }
        for keyword in ["struct ", "enum ", "trait ", "type "] {
            if let Some(name) = item(line, keyword).filter(|name| RETIRED.contains(name)) {
                errors.push(format!("line {number}: {name} is a private word; use the field's"));
            }
        }
        if let Some(name) = item(line, "fn ").filter(|name| is_test && name.len() > MAX_TEST_NAME) {
            errors.push(format!("line {number}: the name of test {name} is longer than {MAX_TEST_NAME} characters"));
        }
        is_test = line.starts_with("#[test]")
            || line.contains("::test") && line.starts_with("#[")
            || is_test && line.starts_with('#');
    }
    errors
}

fn begins_with(doc: &str, word: &str) -> bool {
    doc.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// The name of an item that this line declares with `keyword`.
fn item<'a>(line: &'a str, keyword: &str) -> Option<&'a str> {
    let (before, after) = line.split_once(keyword)?;
    let is_declaration =
        before.split_whitespace().all(|word| word.starts_with("pub") || matches!(word, "async" | "const" | "unsafe"));
    let end = after.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(after.len());
    after.get(..end).filter(|name| is_declaration && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_of_docs_has_a_subject() {
        assert_eq!(check("/// Who asks.\nfn f() {}").len(), 1);
        assert_eq!(check("//! Whoever asks.").len(), 0);
        assert_eq!(check("/// A line.\n/// Where it ends.").len(), 0);
    }

    #[test]
    fn retired_and_nameless_names_are_errors() {
        assert_eq!(check("pub(crate) struct Door {").len(), 1);
        for name in NAMELESS {
            assert_eq!(check(&format!("const {name}: u8 = 1;")).len(), 1, "{name}");
        }
        assert_eq!(check("use a::Door;\nconst START_PATIENCE: u8 = 1;").len(), 0);
    }

    #[test]
    fn long_test_names_are_errors() {
        let name = "a".repeat(MAX_TEST_NAME + 1);
        assert_eq!(check(&format!("#[tokio::test(flavor = \"x\")]\nasync fn {name}() {{}}")).len(), 1);
        assert_eq!(check(&format!("fn {name}() {{}}")).len(), 0);
    }
}
