//! Escaping of control characters in applications' lines, which may not clear the screen or imitate other applications.

use std::borrow::Cow;

/// Escapes control characters in `line`, except tabs.
///
/// Colours are kept on a terminal and reset at the end of the line.
pub(super) fn for_text(line: &str, keeps_colours: bool) -> Cow<'_, str> {
    if !line.chars().any(is_control) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len());
    let mut has_colours = false;
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let length = match colour_length(rest) {
            Some(length) => {
                if keeps_colours {
                    text.extend(rest.get(..length));
                    has_colours = true;
                }
                length
            }
            None => {
                if is_control(next) {
                    text.extend(next.escape_default())
                } else {
                    text.push(next)
                }
                next.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    if has_colours {
        text.push_str("\x1b[0m");
    }
    Cow::Owned(text)
}

fn is_control(char: char) -> bool {
    char.is_control() && char != '\t'
}

/// Returns the length of a colour sequence at the start of `text`.
///
/// Such sequences set colour or weight (SGR, ECMA-48 8.3.117).
fn colour_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|char: char| !char.is_ascii_digit() && !matches!(char, ';' | ':'))?;
    parameters.get(end..)?.starts_with('m').then_some("\x1b[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(for_text("plain, ü\t", true), "plain, ü\t");
        assert_eq!(for_text("a\rb\x1b[2Jc\u{9b}2Jd", true), "a\\rb\\u{1b}[2Jc\\u{9b}2Jd");
        assert_eq!(for_text("\x1b]0;title\x07", true), "\\u{1b}]0;title\\u{7}");
        assert_eq!(for_text("\x1b", true), "\\u{1b}");
        assert_eq!(for_text("\x1b[31", true), "\\u{1b}[31");
    }

    #[test]
    fn colours_are_kept_on_terminal_and_reset_at_line_end() {
        assert_eq!(for_text("\x1b[1;31mred", true), "\x1b[1;31mred\x1b[0m");
        assert_eq!(for_text("\x1b[1;31mred\x1b[0m.", false), "red.");
    }
}
