//! Truncates texts from a component.

/// Maximum length of a text, in bytes.
const MAX_TEXT: usize = 4096;

/// Returns `text`, truncated if it is too long.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = text.floor_char_boundary(MAX_TEXT);
        text.truncate(end);
        text.shrink_to_fit();
        text.push('\u{2026}');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("short".to_owned()), "short");
        let long = cut("\u{1f32d}".repeat(1_000_000) + "end");
        assert!(long.len() <= MAX_TEXT + 3 && long.ends_with('\u{2026}'));
        assert!(cut(format!("a{}", "ü".repeat(MAX_TEXT))).len() <= MAX_TEXT + 3);
    }
}
