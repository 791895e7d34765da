//! Cost of a JPEG besides its pixels: each scan may touch all of them, and each segment may hold a table to build.

use super::{START_OF_SCAN, Segments, is_frame};
use crate::ImageError;

/// Most pixels times scans: ten scans of the largest images, or a hundred of those with six megapixels.
const MAX_SCANNED_PIXELS: u64 = 600_000_000;
/// Most scans of an image of any size. Encoders write about ten.
const MAX_SCANS: u64 = 100;
/// Most segments besides scans. The largest profiles take 255, and each scan may have tables.
const MAX_SEGMENTS: usize = 2000;

/// Checks a JPEG of that many pixels before decoding.
///
/// # Errors
/// If it has too many scans or segments.
pub(crate) fn check(bytes: &[u8], pixels: u64) -> Result<(), ImageError> {
    let max_scans = (MAX_SCANNED_PIXELS / pixels.max(1)).min(MAX_SCANS);
    let (mut scans, mut segments, mut has_frame) = (0, 0, false);
    for (marker, _) in Segments::new(bytes) {
        match marker {
            START_OF_SCAN => scans += 1,
            _ => segments += 1,
        }
        has_frame |= is_frame(marker);
        if scans > max_scans {
            return Err(ImageError::Broken(format!("it has more than {max_scans} scans")));
        }
        if segments > MAX_SEGMENTS {
            return Err(ImageError::Broken(format!("it has more than {MAX_SEGMENTS} segments")));
        }
    }
    if has_frame { Ok(()) } else { Err(ImageError::Truncated) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = b"\xFF\xC2\0\x0B\x08\0\x08\0\x08\x01\x01\x11\0";
    const SCAN: &[u8] = b"\xFF\xDA\0\x08\x01\x01\0\0\x3F\0\0";
    const TABLE: &[u8] = b"\xFF\xC4\0\x02";

    fn rejection(scans: usize, tables: usize, pixels: u64) -> Option<String> {
        let bytes = [b"\xFF\xD8", &TABLE.repeat(tables)[..], FRAME, &SCAN.repeat(scans), b"\xFF\xD9"].concat();
        check(&bytes, pixels).err().map(|refusal| refusal.to_string())
    }

    #[test]
    fn scans_are_limited_by_pixels() {
        for (scans, pixels) in [(100, 6_000_000), (12, 50_000_000), (100, 1)] {
            assert_eq!(rejection(scans, 0, pixels), None);
            assert!(rejection(scans + 1, 0, pixels).unwrap().contains("scans"), "{pixels}");
        }
    }

    #[test]
    fn segments_are_limited() {
        assert_eq!(rejection(1, 1900, 64), None);
        assert!(rejection(1, 2000, 64).unwrap().contains("segments"));
    }
}
