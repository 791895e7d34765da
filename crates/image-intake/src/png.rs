//! What the PNG decoder leaves to its caller: noticing that a palette ends within a colour, at which it would panic, and that
//! nothing but the mark of the end is missing.

use std::borrow::Cow;

/// The chunk that marks the end, with its checksum.
const END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";

/// Chunks that add to a picture without being needed for its pixels. Some are compressed, and may be a thousand times as large
/// as they look; of others there may be any number.
const UNNEEDED: [&[u8; 4]; 10] =
    [b"acTL", b"fcTL", b"fdAT", b"hIST", b"iCCP", b"iTXt", b"sPLT", b"tEXt", b"tIME", b"zTXt"];

/// The size of a chunk of another unnamed kind that is kept. Those that say something about pixels are smaller.
const MAX_SMALL_CHUNK: usize = 1024;

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

/// The picture without the chunks that its pixels do not need. Copied only where it has such.
pub(crate) fn without_unneeded(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut kept: Option<Vec<u8>> = None;
    let (mut at, mut pending) = (FIRST_CHUNK, 0);
    while let Some(([s0, s1, s2, s3, name @ ..], content)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk::<8>) {
        let size = u32::from_be_bytes([*s0, *s1, *s2, *s3]) as usize;
        // The checksum follows. A chunk that is cut off is left to the decoder, unless it is not needed.
        let end = size.checked_add(12).and_then(|size| at.checked_add(size)).unwrap_or(usize::MAX);
        let is_ancillary = name[0].is_ascii_lowercase();
        let is_large = is_ancillary && size > MAX_SMALL_CHUNK && !matches!(name, b"eXIf" | b"tRNS");
        if UNNEEDED.contains(&name) || is_large {
            let kept = kept.get_or_insert_with(|| Vec::with_capacity(content.len().min(bytes.len() - content.len())));
            kept.extend_from_slice(bytes.get(pending..at).unwrap_or_default());
            pending = end.min(bytes.len());
        }
        if end >= bytes.len() {
            break;
        }
        at = end;
    }
    match kept {
        Some(mut kept) => {
            kept.extend_from_slice(bytes.get(pending..).unwrap_or_default());
            Cow::Owned(kept)
        }
        None => Cow::Borrowed(bytes),
    }
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

    fn chunk(name: &str, content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&size[..], name.as_bytes(), content, b"crc!"].concat()
    }

    #[test]
    fn profiles_texts_and_animations_are_left_out() {
        let plain = [chunk("IHDR", b"x"), chunk("gAMA", b"1234"), chunk("IDAT", b"abc"), chunk("IEND", b"")];
        let all = |chunks: &[Vec<u8>]| with(&[&chunks.concat()]);
        assert!(matches!(without_unneeded(&all(&plain)), Cow::Borrowed(_)));
        let [head, gamma, pixels, end] = plain.clone();
        let long = chunk("abCd", &[0; 2000]);
        let full = [
            head,
            chunk("iCCP", b"bomb"),
            gamma,
            chunk("zTXt", b""),
            chunk("acTL", b"12345678"),
            long,
            pixels,
            chunk("fdAT", b"12"),
            chunk("tEXt", b"t"),
            end,
        ];
        assert_eq!(without_unneeded(&all(&full)), all(&plain));
        let cut = [&all(&plain[..2])[..], &chunk("iTXt", b"12345")[..10]].concat();
        assert_eq!(without_unneeded(&cut), all(&plain[..2]));
        assert_eq!(without_unneeded(b"\x89PNG"), &b"\x89PNG"[..]);
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
