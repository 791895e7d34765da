//! Texts that came from a component.

/// The most of one text that is kept, in bytes.
const MAX_TEXT: usize = 4096;

/// `text`, or its beginning if it is longer than anybody would read.
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
    fn a_long_text_is_cut_between_two_characters() {
        assert_eq!(cut("short".to_owned()), "short");
        let long = cut("\u{1f32d}".repeat(1_000_000) + "end");
        assert!(long.len() <= MAX_TEXT + 3 && long.ends_with('\u{2026}'));
        assert!(cut(format!("a{}", "ü".repeat(MAX_TEXT))).len() <= MAX_TEXT + 3);
    }
}
