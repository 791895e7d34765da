//! Decodes arbitrary bytes as an image.

#![no_main]

use image_api_grayscale::{EncodedGray, turn_gray};
use image_intake::InputImage;
use libfuzzer_sys::fuzz_target;

const MAX_PIXELS: u64 = 100_000;

/// Requested side length in pixels: so small that small images are decoded at every reduced size.
const SIDE: u16 = 4;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(EncodedGray::Png(gray)) = turn_gray(bytes, MAX_PIXELS) {
        let again = InputImage::admit(&gray, MAX_PIXELS).expect("what is answered is a picture");
        again.decode().expect("what is answered can be decoded");
    }
    let Ok(picture) = InputImage::admit(bytes, MAX_PIXELS) else { return };
    let (full, reduced) = (picture.decode(), picture.decode_reduced(SIDE));
    if let (Ok(full), Ok(reduced)) = (full, reduced) {
        let size = |part| (full.width().div_ceil(part), full.height().div_ceil(part));
        let is_fraction = [1, 2, 4, 8].into_iter().any(|part| size(part) == (reduced.width(), reduced.height()));
        assert!(is_fraction, "{:?} for {:?}", (reduced.width(), reduced.height()), size(1));
    }
});
