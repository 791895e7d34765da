//! The committed picture is the one that this crate draws.

use std::path::Path;

/// What a rounding difference between machines may do to one value, after the encoder has enlarged it.
const TOLERANCE: u8 = 12;

#[test]
fn the_committed_file_is_what_the_program_draws_and_small_enough_to_travel_with_the_page() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sample.jpg");
    let committed = image::open(path).expect("docs/sample.jpg; `cargo run -p sample-picture` writes it").into_rgb8();
    let jpeg = sample_picture::jpeg().unwrap();
    assert!((20_000..=80_000).contains(&jpeg.len()), "{} bytes", jpeg.len());
    let drawn = image::load_from_memory(&jpeg).unwrap().into_rgb8();
    assert_eq!(committed.dimensions(), drawn.dimensions());
    let worst = committed.iter().zip(drawn.iter()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(
        worst <= Some(TOLERANCE),
        "a value differs by {worst:?}; `cargo run -p sample-picture` writes the file anew"
    );
}
