//! What the PNG decoder leaves to its caller: noticing that a palette ends within a colour, at which it would panic, and that
//! nothing but the mark of the end is missing.

use std::borrow::Cow;

/// The chunk that marks the end, with its checksum.
const END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";

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

/// The picture with the mark of its end, also where its last bytes were lost: other data behind its pixels, or what tells
/// whether they are right. Whether all pixels are there is for the decoder to see.
pub(crate) fn with_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (mut at, mut last_pixels) = (FIRST_CHUNK, None);
    while let Some(([s0, s1, s2, s3, name @ ..], content)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk::<8>) {
        let size = u32::from_be_bytes([*s0, *s1, *s2, *s3]) as usize;
        let is_whole = size.checked_add(4).is_some_and(|size| size <= content.len());
        match name {
            b"IEND" => return Cow::Borrowed(bytes),
            b"IDAT" => last_pixels = Some((at, content.get(..size).unwrap_or(content), is_whole)),
            _ => {}
        }
        if !is_whole {
            break;
        }
        at += 12 + size;
    }
    let Some((start, content, is_whole)) = last_pixels else { return Cow::Borrowed(bytes) };
    if is_whole {
        return Cow::Owned([bytes.get(..at).unwrap_or(bytes), END].concat());
    }
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let chunk = [b"IDAT", content].concat();
    Cow::Owned(
        [bytes.get(..start).unwrap_or_default(), &size, &chunk, &crc32fast::hash(&chunk).to_be_bytes(), END].concat(),
    )
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
