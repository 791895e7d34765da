//! Expansion of `$NAME` and `${NAME}` in text, as in Go's `os.ExpandEnv`.
//!
//! An undefined variable is empty; a dollar sign not followed by a name is kept.

/// Characters that are a complete name by themselves, as in a shell.
const SPECIAL: &[char] = &['*', '#', '$', '@', '!', '?', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// Replaces variable references in `text` with the results of `lookup`.
pub(crate) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = match name(behind) {
            Name::Is(name, rest) => {
                expanded.extend(lookup(name));
                rest
            }
            Name::Bad(rest) => rest,
            Name::None => {
                expanded.push('$');
                behind
            }
        };
    }
    expanded + rest
}

enum Name<'a> {
    /// Name, and the text after it.
    Is(&'a str, &'a str),
    /// Braces that are empty or never closed; they are removed. The text after them.
    Bad(&'a str),
    None,
}

/// Parses the name at the start of the text after a dollar sign.
fn name(behind: &str) -> Name<'_> {
    if let Some(inside) = behind.strip_prefix('{') {
        return match inside.split_once('}') {
            Some(("", rest)) => Name::Bad(rest),
            Some((name, rest)) => Name::Is(name, rest),
            None => Name::Bad(inside),
        };
    }
    let length = match behind.starts_with(SPECIAL) {
        true => 1,
        false => behind.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(behind.len()),
    };
    match behind.split_at_checked(length) {
        Some((name, rest)) if !name.is_empty() => Name::Is(name, rest),
        _ => Name::None,
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn variables_expand_as_in_go() {
        let lookup = |name: &str| match name {
            "HOME" => Some("here".to_owned()),
            "a_1" => Some("one".to_owned()),
            "$" => Some("special".to_owned()),
            "odd name" => Some("odd".to_owned()),
            _ => None,
        };
        for (text, expected) in [
            ("no name", "no name"),
            ("$HOME/x", "here/x"),
            ("${HOME}x and $a_1.", "herex and one."),
            ("[$HOMEx]", "[]"),
            ("[${absent}]", "[]"),
            ("$$HOME", "specialHOME"),
            ("${odd name}", "odd"),
            ("[$1]", "[]"),
            ("a ${} b", "a  b"),
            ("a ${HOME", "a HOME"),
            ("a $ b $é $", "a $ b $é $"),
        ] {
            assert_eq!(expand(text, &lookup), expected, "{text}");
        }
    }
}
