//! Images that cost more than they look.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::ensure;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::Attack;
use crate::target::{Target, tally};

/// The longest that one image may take.
const TIME_PER_IMAGE: Duration = Duration::from_secs(10);

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(super) fn all() -> Vec<Attack> {
    vec![
        images("images: pixels that are not there", claims),
        images("images: inflating chunks", inflating_chunks),
        images("images: scans and frames", scans_and_frames),
        images("images: truncated and odd", odd),
    ]
}

/// Sends each image to both services, which must answer it in time, alike, and stay as they are.
fn images(name: &str, make: fn() -> Vec<(&'static str, Vec<u8>)>) -> Attack {
    Attack::new(
        name,
        |_| {},
        move |target: &Target, _| {
            let mut statuses = Vec::new();
            for (image, bytes) in make() {
                let mut both = Vec::new();
                for (service, path) in [("grayscale", "/grayscale"), ("classify", "/classify")] {
                    let begin = Instant::now();
                    let request = if service == "grayscale" {
                        target.deployment.grayscale("POST", path)
                    } else {
                        target.deployment.classify("POST", path)
                    };
                    let status = request.body(bytes.clone()).send().status;
                    let elapsed = begin.elapsed();
                    ensure!(elapsed < TIME_PER_IMAGE, "{service} took {elapsed:.1?} for {image}");
                    ensure!(matches!(status, 200 | 400..=499), "{service} answers {image} with {status}");
                    both.push(status);
                }
                ensure!(both.windows(2).all(|it| it[0] == it[1]), "{image} is {both:?}");
                statuses.extend(both.iter().map(u16::to_string));
            }
            Ok(tally(&statuses))
        },
    )
    .loading_clients()
}

/// An image of 49 megapixels whose file is small.
pub(super) fn large_png() -> Vec<u8> {
    let idat = deflated_zeros(7000 * 7001);
    png(&[(*b"IHDR", header(7000, 7000)), (*b"IDAT", idat), (*b"IEND", Vec::new())])
}

/// An image of ten by ten pixels.
pub(super) fn small_png() -> Vec<u8> {
    png_with(&[])
}

fn claims() -> Vec<(&'static str, Vec<u8>)> {
    let claim = |width, height| {
        png(&[(*b"IHDR", header(width, height)), (*b"IDAT", deflated_zeros(1000)), (*b"IEND", Vec::new())])
    };
    let gif =
        [&b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff"[..], b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;"];
    let bmp = [
        &b"BM"[..],
        &[0; 8],
        &[54, 0, 0, 0, 40, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0x7f].repeat(2),
        &[1, 0, 24, 0],
        &[0; 24],
    ];
    vec![
        ("a PNG of 2^31 pixels squared", claim(0x7fff_ffff, 0x7fff_ffff)),
        ("a PNG of one row", claim(50_000_000, 1)),
        ("a PNG of one column", claim(1, 50_000_000)),
        ("a PNG without pixels", claim(0, 0)),
        ("a GIF of 65,535 squared", gif.concat()),
        ("a BMP of 2^31 squared", bmp.concat()),
        ("a PNG of 49 megapixels", large_png()),
    ]
}

fn inflating_chunks() -> Vec<(&'static str, Vec<u8>)> {
    let bomb = deflated_zeros(1 << 30);
    let with = |head: &[u8]| [head, &bomb].concat();
    vec![
        ("a profile of a gigabyte", png_with(&[(*b"iCCP", with(b"x\0\0"))])),
        ("a text of a gigabyte", png_with(&[(*b"zTXt", with(b"x\0\0"))])),
        ("an international text of a gigabyte", png_with(&[(*b"iTXt", with(b"x\0\x01\0\0\0"))])),
        ("ten texts of a gigabyte", png_with(&vec![(*b"zTXt", with(b"x\0\0")); 10])),
        ("a million texts", png_with(&vec![(*b"tEXt", b"a\0".to_vec()); 1_000_000])),
        ("more pixels than it says", {
            png(&[(*b"IHDR", header(10, 10)), (*b"IDAT", bomb.clone()), (*b"IEND", Vec::new())])
        }),
    ]
}

fn scans_and_frames() -> Vec<(&'static str, Vec<u8>)> {
    let frame = b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let gif =
        |count: usize| [&b"GIF89a\xe8\x03\xe8\x03\x80\0\0\0\0\0\xff\xff\xff"[..], &frame.repeat(count), b";"].concat();
    let comments = [&b"GIF89a\x0a\0\x0a\0\x80\0\0\0\0\0\xff\xff\xff"[..], &b"!\xfe\0".repeat(5_000_000), frame, b";"];
    vec![
        ("a JPEG of many scans", jpeg_of_many_scans(2500)),
        ("a GIF of 100,000 frames", gif(100_000)),
        ("a GIF of five million comments", comments.concat()),
        ("a JPEG of filling bytes", [&b"\xFF\xD8"[..], &vec![0xFF; 15 << 20], b"\xD9"].concat()),
        ("a JPEG of 700,000 tables", {
            let table = [&b"\xFF\xC4\0\x14\0\x01"[..], &[0; 16]].concat();
            [&b"\xFF\xD8"[..], &table.repeat(700_000), b"\xFF\xD9"].concat()
        }),
    ]
}

fn odd() -> Vec<(&'static str, Vec<u8>)> {
    let large = large_png();
    let scans = jpeg_of_many_scans(64);
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    vec![
        ("half a PNG", half(&large)),
        ("half a JPEG", half(&scans)),
        ("a PNG's signature and a ZIP file", [PNG_SIGNATURE, b"PK\x03\x04"].concat()),
        ("a WebP that lies about its length", [&b"RIFF\xff\xff\xff\xffWEBPVP8 "[..], &[7; 1000]].concat()),
        ("an SVG", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec()),
        ("nothing", Vec::new()),
    ]
}

/// A gray progressive JPEG whose last scan comes again until the file has twelve megabytes.
fn jpeg_of_many_scans(side: u16) -> Vec<u8> {
    let pixels = vec![128; usize::from(side) * usize::from(side)];
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 50);
    encoder.set_progressive(true);
    encoder.encode(&pixels, side, side, jpeg_encoder::ColorType::Luma).expect("an image");
    let last = bytes.windows(2).rposition(|it| it == b"\xFF\xDA").expect("a scan");
    let end = bytes.len() - 2;
    let scan = bytes[last..end].to_vec();
    bytes.truncate(end);
    for _ in 0..(12 << 20) / scan.len() {
        bytes.extend_from_slice(&scan);
    }
    bytes.extend_from_slice(b"\xFF\xD9");
    bytes
}

/// A gray image of ten by ten pixels with these chunks before its pixels.
fn png_with(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut all = vec![(*b"IHDR", header(10, 10))];
    all.extend_from_slice(chunks);
    all.push((*b"IDAT", deflated_zeros(110)));
    all.push((*b"IEND", Vec::new()));
    png(&all)
}

fn header(width: u32, height: u32) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat()
}

fn png(chunks: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut bytes = PNG_SIGNATURE.to_vec();
    for (kind, data) in chunks {
        let length = u32::try_from(data.len()).expect("a short chunk");
        let mut checksum = flate2::Crc::new();
        checksum.update(kind);
        checksum.update(data);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(&checksum.sum().to_be_bytes());
    }
    bytes
}

fn deflated_zeros(length: usize) -> Vec<u8> {
    let zeros = vec![0; 1 << 20];
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let mut left = length;
    while left > 0 {
        let piece = left.min(zeros.len());
        encoder.write_all(&zeros[..piece]).expect("memory");
        left -= piece;
    }
    encoder.finish().expect("memory")
}
