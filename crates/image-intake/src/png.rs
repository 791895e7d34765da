//! What the PNG decoder leaves to its caller: noticing that a palette ends within a colour. It would panic.

/// Behind the signature.
const FIRST_CHUNK: usize = 8;

/// Whether a palette, if there is one, has three bytes for each of its colours.
pub(crate) fn has_whole_colours(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(FIRST_CHUNK..).unwrap_or_default();
    while let Some(([s0, s1, s2, s3, name @ ..], content)) = chunks.split_first_chunk::<8>() {
        let size = u32::from_be_bytes([*s0, *s1, *s2, *s3]) as usize;
        match name {
            b"PLTE" if !size.is_multiple_of(3) => return false,
            // Pixels; what comes behind them has no say in their colours.
            b"IDAT" => return true,
            // A checksum follows.
            _ => chunks = size.checked_add(4).and_then(|size| content.get(size..)).unwrap_or_default(),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(chunks: &[&[u8]]) -> Vec<u8> {
        [&b"\x89PNG\r\n\x1A\n"[..], &chunks.concat()].concat()
    }

    #[test]
    fn only_a_palette_that_ends_within_a_colour_is_told() {
        let other = b"\0\0\0\x02gAMAabcrc!";
        assert!(has_whole_colours(&with(&[other, b"\0\0\0\x03PLTErgbcrc!"])));
        assert!(!has_whole_colours(&with(&[other, b"\0\0\0\x04PLTErgb?crc!"])));
        assert!(!has_whole_colours(&with(&[b"\0\0\0\x04PLTE"])));
        assert!(has_whole_colours(&with(&[b"\0\0\0\0IDATcrc!", b"\0\0\0\x04PLTErgb?crc!"])));
        assert!(has_whole_colours(&with(&[b"\xFF\xFF\xFF\xFFtEXt"])));
        assert!(has_whole_colours(b""));
    }
}
