//! Any bytes, as both image services treat them. The limit on pixels is small, so that a run is about structure.

#![no_main]

use image_intake::Picture;
use libfuzzer_sys::fuzz_target;

const MAX_PIXELS: u64 = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(picture) = Picture::admit(bytes, MAX_PIXELS) else { return };
    let _ = picture.decode();
    let _ = match picture.gif() {
        Some(outline) => outline.grayed(bytes).map(drop),
        None => picture.decode_gray().map(drop),
    };
});
