//! The committed images match those that this crate draws.

use std::path::Path;

use sample_picture::Scene;

/// Largest difference of a value due to rounding on different machines, enlarged by the encoder.
const TOLERANCE: u8 = 12;

#[test]
fn committed_images_are_as_drawn_and_small() {
    for scene in Scene::ALL {
        let path = Path::new("../../docs").join(scene.file());
        let committed = image::open(path).expect("`cargo run -p sample-picture` writes it").into_rgb8();
        let jpeg = sample_picture::jpeg(scene).unwrap();
        assert!((10_000..=80_000).contains(&jpeg.len()), "{scene:?}: {} bytes", jpeg.len());
        let drawn = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(committed.dimensions(), drawn.dimensions());
        let worst = committed.iter().zip(drawn.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(
            worst <= Some(TOLERANCE),
            "{scene:?}: a value differs by {worst:?}; `cargo run -p sample-picture` writes the files anew"
        );
    }
}
