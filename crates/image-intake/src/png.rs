//! PNG checks that the decoder leaves to its caller.
//!
//! They find a palette with an incomplete colour, on which the decoder would panic, and a file where only the end
//! marker is missing.

use std::borrow::Cow;

/// End chunk with its checksum.
const END_MARKER: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";

/// Chunks that are not needed for pixels. Some are compressed, and may expand a thousandfold; others may occur any
/// number of times.
const UNNEEDED_CHUNKS: [&[u8; 4]; 10] =
    [b"acTL", b"fcTL", b"fdAT", b"hIST", b"iCCP", b"iTXt", b"sPLT", b"tEXt", b"tIME", b"zTXt"];

/// Largest size of another unnamed chunk that is kept. Those that affect pixels are smaller.
const MAX_SMALL_CHUNK: usize = 1024;

/// Offset after the signature.
const FIRST_CHUNK: usize = 8;

/// Returns true if a palette, if present, has three bytes for each colour.
pub(crate) fn has_whole_colours(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(FIRST_CHUNK..).unwrap_or_default();
    while let Some(([s0, s1, s2, s3, name @ ..], content)) = chunks.split_first_chunk::<8>() {
        let size = u32::from_be_bytes([*s0, *s1, *s2, *s3]) as usize;
        match name {
            b"PLTE" if !size.is_multiple_of(3) => return false,
            // Pixels; later chunks do not affect their colours.
            b"IDAT" => return true,
            // A checksum follows.
            _ => chunks = size.checked_add(4).and_then(|size| content.get(size..)).unwrap_or_default(),
        }
    }
    true
}

/// Removes the chunks that pixels do not need. Copies only if there are any.
pub(crate) fn remove_unneeded_chunks(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut kept: Option<Vec<u8>> = None;
    let (mut at, mut pending) = (FIRST_CHUNK, 0);
    while let Some(([s0, s1, s2, s3, name @ ..], content)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk::<8>) {
        let size = u32::from_be_bytes([*s0, *s1, *s2, *s3]) as usize;
        // The checksum follows. A truncated chunk is left to the decoder, unless it is not needed.
        let end = size.checked_add(12).and_then(|size| at.checked_add(size)).unwrap_or(usize::MAX);
        let is_ancillary = name[0].is_ascii_lowercase();
        let is_large = is_ancillary && size > MAX_SMALL_CHUNK && !matches!(name, b"eXIf" | b"tRNS");
        if UNNEEDED_CHUNKS.contains(&name) || is_large {
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

/// Returns the image with its end marker, even if its last bytes were lost.
///
/// These may be other data after the pixels, or their checksum. The decoder checks that all pixels are present.
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
        return Cow::Owned([bytes.get(..at).unwrap_or(bytes), END_MARKER].concat());
    }
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let chunk = [b"IDAT", content].concat();
    Cow::Owned(
        [bytes.get(..start).unwrap_or_default(), &size, &chunk, &crc32fast::hash(&chunk).to_be_bytes(), END_MARKER]
            .concat(),
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
    fn unneeded_chunks_are_removed() {
        let plain = [chunk("IHDR", b"x"), chunk("gAMA", b"1234"), chunk("IDAT", b"abc"), chunk("IEND", b"")];
        let all = |chunks: &[Vec<u8>]| with(&[&chunks.concat()]);
        assert!(matches!(remove_unneeded_chunks(&all(&plain)), Cow::Borrowed(_)));
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
        assert_eq!(remove_unneeded_chunks(&all(&full)), all(&plain));
        let cut = [&all(&plain[..2])[..], &chunk("iTXt", b"12345")[..10]].concat();
        assert_eq!(remove_unneeded_chunks(&cut), all(&plain[..2]));
        assert_eq!(remove_unneeded_chunks(b"\x89PNG"), &b"\x89PNG"[..]);
    }

    #[test]
    fn palette_with_incomplete_colour_is_detected() {
        let other = b"\0\0\0\x02gAMAabcrc!";
        assert!(has_whole_colours(&with(&[other, b"\0\0\0\x03PLTErgbcrc!"])));
        assert!(!has_whole_colours(&with(&[other, b"\0\0\0\x04PLTErgb?crc!"])));
        assert!(!has_whole_colours(&with(&[b"\0\0\0\x04PLTE"])));
        assert!(has_whole_colours(&with(&[b"\0\0\0\0IDATcrc!", b"\0\0\0\x04PLTErgb?crc!"])));
        assert!(has_whole_colours(&with(&[b"\xFF\xFF\xFF\xFFtEXt"])));
        assert!(has_whole_colours(b""));
    }
}
