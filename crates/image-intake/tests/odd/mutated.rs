//! Files with a few changed bytes are decoded or rejected, and never crash the decoder.

use image::{DynamicImage, ImageFormat};

use super::make;

/// Mutations of each file. (`fuzz/` goes further.)
const MUTATIONS: u32 = 400;

/// A reproducible generator of random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][self.below(5)],
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at.max(8)),
                3 => drop(bytes.drain(at..(at + self.below(9)).min(bytes.len()))),
                _ => {
                    let from = self.below(bytes.len());
                    let piece = bytes[from..(from + 40).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
            if bytes.is_empty() {
                return;
            }
        }
    }
}

#[test]
fn mutated_images_crash_no_decoder() {
    let orange: DynamicImage = make::orange(48, 40).into();
    let mut files: Vec<Vec<u8>> =
        [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Jpeg]
            .map(|format| make::encode(&orange, format))
            .to_vec();
    files.extend([make::cmyk_jpeg(), make::gray_jpeg(), make::jpeg_in_three_scans(), make::progressive_jpeg()]);
    files.extend([make::deep_png(), make::transparent_png(), make::animated_gif(), make::animated_webp()]);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for file in &files {
        for _ in 0..MUTATIONS {
            let mut bytes = file.clone();
            random.mutate(&mut bytes);
            for found in [super::decode(&bytes), super::gray(&bytes)] {
                assert!(found.is_ok() || found.is_err_and(|refusal| refusal.status().is_client_error()));
            }
        }
    }
}

/// Creates a PNG chunk with its checksum.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let checked = [&name[..], content].concat();
    [&length[..], &checked, &crc32fast::hash(&checked).to_be_bytes()].concat()
}

#[test]
fn png_profile_is_not_decompressed() {
    let plain = make::deep_png();
    // After the header, which is 33 bytes with the signature.
    for bomb in
        [chunk(b"iCCP", b"x\0\0not deflated"), chunk(b"zTXt", b"x\0\0?"), chunk(b"tEXt", b"a\0b").repeat(100_000)]
    {
        let bytes = [&plain[..33], &bomb, &plain[33..]].concat();
        assert_eq!(super::decode(&bytes).unwrap(), super::decode(&plain).unwrap());
    }
}

#[test]
fn jpeg_with_many_scans_is_rejected_before_decoding() {
    let plain = make::progressive_jpeg();
    let scans: Vec<usize> = (0..plain.len() - 1).filter(|at| plain[*at..*at + 2] == [0xFF, 0xDA]).collect();
    let last = &plain[scans[scans.len() - 1]..plain.len() - 2];
    let bytes = [&plain[..plain.len() - 2], &last.repeat(200), b"\xFF\xD9"].concat();
    let refusal = image_intake::InputImage::admit(&bytes, image_intake::DEFAULT_MAX_PIXELS).unwrap_err();
    assert!(refusal.to_string().contains("scans") && refusal.status() == 422, "{refusal}");
}
