//! Images without an end marker, with all or some of their pixels.

use image::{DynamicImage, ImageFormat};
use image_intake::ImageError;
use jpeg_encoder::ColorType;

use crate::{decode, gray, make};

/// Creates an image without repeating parts.
fn noise() -> DynamicImage {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    image::RgbImage::from_fn(48, 40, |_, _| image::Rgb([next(), next(), next()])).into()
}

/// Creates JPEGs of each kind: baseline, with restarts, in scans of one colour each, progressive, gray, and CMYK.
fn jpegs() -> Vec<Vec<u8>> {
    let noise = noise().into_rgb8();
    let encode = |colours, sampling: (u8, u8), set: fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)| {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::from_factors(sampling.0, sampling.1).unwrap());
        set(&mut encoder);
        let pixels = noise
            .as_raw()
            .get(..48 * 40 * colours_of(colours))
            .map_or_else(|| noise.as_raw().repeat(2), <[u8]>::to_vec);
        encoder.encode(&pixels[..48 * 40 * colours_of(colours)], 48, 40, colours).unwrap();
        bytes
    };
    vec![
        encode(ColorType::Rgb, (1, 1), |_| {}),
        encode(ColorType::Rgb, (2, 2), |_| {}),
        encode(ColorType::Rgb, (2, 2), |encoder| encoder.set_restart_interval(2)),
        encode(ColorType::Rgb, (2, 1), |encoder| encoder.set_optimized_huffman_tables(true)),
        encode(ColorType::Rgb, (1, 1), |encoder| encoder.set_progressive(true)),
        encode(ColorType::Rgb, (2, 2), |encoder| encoder.set_progressive(true)),
        encode(ColorType::Luma, (1, 1), |_| {}),
        encode(ColorType::Cmyk, (1, 1), |_| {}),
        encode(ColorType::CmykAsYcck, (1, 1), |_| {}),
    ]
}

fn colours_of(colours: ColorType) -> usize {
    match colours {
        ColorType::Luma => 1,
        ColorType::Rgb => 3,
        _ => 4,
    }
}

/// Asserts that no byte differs much: two decoders round differently.
fn assert_alike(one: &DynamicImage, other: &DynamicImage, name: &str) {
    let pairs = one.as_bytes().iter().zip(other.as_bytes());
    let most = pairs.map(|(one, other)| one.abs_diff(*other)).max();
    assert_eq!(one.as_bytes().len(), other.as_bytes().len(), "{name}");
    assert!(most.is_some_and(|most| most <= 4), "{name}: {most:?}");
}

#[test]
fn jpeg_without_end_marker_is_decoded() {
    for (number, whole) in jpegs().into_iter().enumerate() {
        let pixels = whole.strip_suffix(b"\xFF\xD9").unwrap();
        let padded = [pixels, &[0; 512]].concat();
        for (what, bytes) in [("no mark", pixels), ("half", &whole[..whole.len() - 1]), ("zeros", &padded)] {
            let name = format!("{number}, {what}");
            assert_alike(&decode(bytes).expect(&name), &decode(&whole).unwrap(), &name);
            assert_alike(&gray(bytes).expect(&name), &gray(&whole).unwrap(), &name);
        }
    }
}

#[test]
fn jpeg_with_missing_pixels_is_rejected() {
    for (number, whole) in jpegs().into_iter().enumerate() {
        // The last byte of the pixels may be only padding.
        for missing in (4..40).chain([100, 400, 700]) {
            let bytes = &whole[..whole.len() - missing];
            for found in [decode(bytes), gray(bytes)] {
                assert!(
                    matches!(found, Err(ImageError::Truncated)),
                    "{missing} bytes of {number}: {:?}",
                    found.map(drop)
                );
            }
        }
    }
}

#[test]
fn png_without_its_end_is_decoded() {
    for picture in [noise(), DynamicImage::from(make::orange(48, 40))] {
        let whole = make::encode(&picture, ImageFormat::Png);
        // The end chunk has 12 bytes, and the checksums before it 8.
        for missing in 1..=20 {
            let bytes = &whole[..whole.len() - missing];
            assert!(decode(bytes).is_ok_and(|decoded| decoded == picture), "{missing}");
            assert_eq!(gray(bytes).unwrap(), gray(&whole).unwrap(), "{missing}");
        }
        for missing in [40, 80] {
            assert!(decode(&whole[..whole.len() - missing]).is_err(), "{missing}");
        }
    }
}

#[test]
fn gif_without_its_trailer_is_decoded() {
    for whole in [make::animated_gif(), make::encode(&noise(), ImageFormat::Gif)] {
        let bytes = &whole[..whole.len() - 1];
        assert_eq!(decode(bytes).unwrap(), decode(&whole).unwrap());
        assert_eq!(gray(bytes).unwrap(), gray(&whole).unwrap());
        for missing in [3, 10] {
            assert!(gray(&whole[..whole.len() - missing]).is_err(), "{missing}");
        }
    }
}

#[test]
fn webp_without_its_padding_is_decoded() {
    let mut has_padding = 0;
    for width in 40..60 {
        let picture = DynamicImage::from(noise().into_rgb8()).crop_imm(0, 0, width, 7);
        let whole = make::encode(&picture, ImageFormat::WebP);
        let size = u32::from_le_bytes(*whole[16..].first_chunk().unwrap());
        if size % 2 == 1 {
            has_padding += 1;
            assert_eq!(decode(&whole[..whole.len() - 1]).unwrap(), picture);
        }
    }
    assert!(has_padding > 0);
}

#[test]
fn cmyk_in_separate_scans_has_the_same_colours() {
    for (colours, sampling) in
        [(ColorType::Cmyk, (1, 1)), (ColorType::CmykAsYcck, (1, 1)), (ColorType::CmykAsYcck, (2, 2))]
    {
        let noise = noise().into_rgb8();
        let smooth = image::imageops::blur(&noise, 6.0);
        let inks: Vec<u8> = smooth.pixels().flat_map(|pixel| [!pixel.0[0], !pixel.0[1], !pixel.0[2], 20]).collect();
        let [together, apart] = [false, true].map(|is_apart| {
            let mut bytes = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::from_factors(sampling.0, sampling.1).unwrap());
            encoder.set_optimized_huffman_tables(is_apart);
            encoder.encode(&inks, 48, 40, colours).unwrap();
            bytes
        });
        assert_alike(&decode(&apart).unwrap(), &decode(&together).unwrap(), &format!("{colours:?} {sampling:?}"));
        assert_alike(&gray(&apart).unwrap(), &gray(&together).unwrap(), &format!("{colours:?} {sampling:?}"));
        let expected = smooth.pixels().flat_map(|pixel| pixel.0.map(|colour| (u32::from(colour) * 235 / 255) as u8));
        let off: u32 =
            expected.zip(decode(&apart).unwrap().as_bytes()).map(|(one, other)| u32::from(one.abs_diff(*other))).sum();
        assert!(off / (48 * 40 * 3) < 4, "{off}");
    }
}
