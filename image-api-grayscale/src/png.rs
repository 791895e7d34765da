//! Encodes gray images as PNG (W3C Recommendation, third edition).
//!
//! Speed counts more than size, because a user waits: one filter, which suits photographs, and a compression level made
//! for filtered data. General encoders pass data on eight bytes at a time, through writers that may fail; a vector
//! needs neither.

use image::DynamicImage;

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The filter that stores each byte's difference to the one above.
const UP: u8 = 2;

/// Bytes of compressed data in one chunk; each chunk adds twelve.
const CHUNK_SIZE: usize = 1 << 20;

/// Encodes an image of eight bits a channel.
pub(crate) fn encode(gray: &DynamicImage) -> Vec<u8> {
    let channels: u8 = if gray.color().has_alpha() { 2 } else { 1 };
    let row = gray.width() as usize * usize::from(channels);
    let compressed = fdeflate::compress_to_vec(&filter_rows(gray.as_bytes(), row));
    let pieces = compressed.chunks(CHUNK_SIZE);
    let mut png = Vec::with_capacity(compressed.len() + pieces.len() * 12 + 64);
    png.extend(SIGNATURE);
    write_chunk(&mut png, *b"IHDR", &header(gray.width(), gray.height(), channels));
    for piece in pieces {
        write_chunk(&mut png, *b"IDAT", piece);
    }
    write_chunk(&mut png, *b"IEND", &[]);
    png
}

/// Creates the header: size, eight bits a channel, gray with or without alpha, and the only standard compression,
/// filters and row order.
fn header(width: u32, height: u32, channels: u8) -> [u8; 13] {
    let [w0, w1, w2, w3] = width.to_be_bytes();
    let [h0, h1, h2, h3] = height.to_be_bytes();
    let colour = if channels == 2 { 4 } else { 0 };
    [w0, w1, w2, w3, h0, h1, h2, h3, 8, colour, 0, 0, 0]
}

/// Filters all rows, each with its filter type first.
fn filter_rows(pixels: &[u8], row: usize) -> Vec<u8> {
    // An image has at least one column.
    let row = row.max(1);
    let mut filtered = Vec::with_capacity(pixels.len() + pixels.len() / row);
    let first = vec![0; row];
    let above = std::iter::once(first.as_slice()).chain(pixels.chunks_exact(row));
    for (above, now) in above.zip(pixels.chunks_exact(row)) {
        filtered.push(UP);
        filtered.extend(now.iter().zip(above).map(|(now, above)| now.wrapping_sub(*above)));
    }
    filtered
}

fn write_chunk(png: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&name);
    checksum.update(data);
    // Not longer than a chunk.
    png.extend((data.len() as u32).to_be_bytes());
    png.extend(name);
    png.extend_from_slice(data);
    png.extend(checksum.finalize().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use image::{GrayAlphaImage, GrayImage, ImageFormat};

    use super::*;

    fn decode(png: &[u8]) -> DynamicImage {
        image::load_from_memory_with_format(png, ImageFormat::Png).unwrap()
    }

    #[test]
    fn pixels_survive_encoding_with_and_without_alpha() {
        for (width, height) in [(1, 1), (1, 300), (300, 1), (257, 129)] {
            let gray = DynamicImage::from(GrayImage::from_fn(width, height, |x, y| [(x * 7 + y * y) as u8].into()));
            assert_eq!(decode(&encode(&gray)), gray, "{width} x {height}");
            let pixel = |x: u32, y: u32| [(x ^ y) as u8, (x * y) as u8].into();
            let see_through = DynamicImage::from(GrayAlphaImage::from_fn(width, height, pixel));
            assert_eq!(decode(&encode(&see_through)), see_through, "{width} x {height}");
        }
    }

    #[test]
    fn long_data_is_split_into_chunks() {
        let mut state = 1u32;
        let noise = |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [(state >> 24) as u8].into()
        };
        let gray = DynamicImage::from(GrayImage::from_fn(1500, 1500, noise));
        let png = encode(&gray);
        assert!(png.windows(4).filter(|name| name == b"IDAT").count() > 1, "{} bytes", png.len());
        assert_eq!(decode(&png), gray);
    }
}
