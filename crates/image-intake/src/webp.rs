//! A WebP check that the decoder leaves to its caller: a chunk that claims more data than there is.

/// Offset after the names of container and format.
const FIRST_CHUNK: usize = 12;

/// Returns true if the EXIF chunk is complete.
///
/// The decoder allocates as much memory as that chunk claims, up to four gigabytes, before it reads the first byte of
/// it.
pub(crate) fn has_complete_exif(bytes: &[u8]) -> bool {
    let mut chunks = bytes.get(FIRST_CHUNK..).unwrap_or_default();
    while let Some(([n0, n1, n2, n3, size @ ..], content)) = chunks.split_first_chunk::<8>() {
        let size = u32::from_le_bytes(*size) as usize;
        if [*n0, *n1, *n2, *n3] == *b"EXIF" && size > content.len() {
            return false;
        }
        // Odd sizes are followed by a padding byte.
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
    fn truncated_exif_chunk_is_detected() {
        let odd = b"VP8X\x03\0\0\0abc\0";
        assert!(has_complete_exif(&with(&[odd, b"EXIF\x02\0\0\0ab"])));
        assert!(!has_complete_exif(&with(&[odd, b"EXIF\x03\0\0\0ab"])));
        assert!(!has_complete_exif(&with(&[odd, b"EXIF\xFF\xFF\xFF\xFF"])));
        assert!(has_complete_exif(&with(&[odd, b"ALPH\xFF\xFF\xFF\xFFab"])));
        assert!(has_complete_exif(b"RIFF"));
    }
}
