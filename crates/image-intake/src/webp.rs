//! What the WebP decoder leaves to its caller: noticing that a chunk claims more than there is.

/// Behind the names of container and format.
const FIRST_CHUNK: usize = 12;

/// Whether all of the EXIF chunk is there. The decoder takes as much memory as that chunk claims, four gigabytes maybe, before it
/// reads the first byte of it.
pub(crate) fn has_all_of_exif(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(FIRST_CHUNK..).unwrap_or_default();
    while let Some(([n0, n1, n2, n3, size @ ..], content)) = chunks.split_first_chunk::<8>() {
        let size = u32::from_le_bytes(*size) as usize;
        if [*n0, *n1, *n2, *n3] == *b"EXIF" && size > content.len() {
            return false;
        }
        // What is odd is followed by a byte that means nothing.
        chunks = size.checked_next_multiple_of(2).and_then(|size| content.get(size..)).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(chunks: &[&[u8]]) -> Vec<u8> {
        [&b"RIFF\0\0\0\0WEBP"[..], &chunks.concat()].concat()
    }

    #[test]
    fn only_an_exif_chunk_that_is_cut_off_is_told() {
        let odd = b"VP8X\x03\0\0\0abc\0";
        assert!(has_all_of_exif(&with(&[odd, b"EXIF\x02\0\0\0ab"])));
        assert!(!has_all_of_exif(&with(&[odd, b"EXIF\x03\0\0\0ab"])));
        assert!(!has_all_of_exif(&with(&[odd, b"EXIF\xFF\xFF\xFF\xFF"])));
        assert!(has_all_of_exif(&with(&[odd, b"ALPH\xFF\xFF\xFF\xFFab"])));
        assert!(has_all_of_exif(b"RIFF"));
    }
}
