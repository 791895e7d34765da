//! Every kind of JPEG that libjpeg writes, decoded as libjpeg does, or rejected.
//!
//! `cargo xtask setup --test-servers` installs `cjpeg` and `djpeg` of libjpeg-turbo.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail them by panicking, and a test that did not run says so"
)]

mod programs;

use image::RgbImage;
use image_intake::{DEFAULT_MAX_PIXELS, ImageError, InputImage};
use programs::{Drawing, decode, encode};

/// Orders of samples: a name, options of `cjpeg`, and a scan script.
const ORDERS: &[(&str, &[&str], &str)] = &[
    ("at once", &[], ""),
    ("one by one", &[], "0;\n1;\n2;\n"),
    ("luma first", &[], "0;\n1 2;\n"),
    ("last colour apart", &[], "0 1;\n2;\n"),
    ("luma last", &[], "1 2;\n0;\n"),
    ("progressive", &["-progressive"], ""),
    ("by frequency", &[], "0 1 2: 0-0,0,0;\n0: 1-63,0,0;\n1: 1-63,0,0;\n2: 1-63,0,0;\n"),
    ("colours together", &[], "0: 0-0,0,0;\n1 2: 0-0,0,0;\n0: 1-63,0,0;\n1: 1-63,0,0;\n2: 1-63,0,0;\n"),
    (
        "bit by bit",
        &[],
        "0: 0-0,0,1;\n1: 0-0,0,0;\n2: 0-0,0,0;\n0: 1-9,0,2;\n2: 1-63,0,1;\n1: 1-63,0,0;\n0: 10-63,0,2;\n0: 1-63,2,1;\n\
         0: 1-63,1,0;\n0: 0-0,1,0;\n2: 1-63,1,0;\n",
    ),
];
/// Sampling factors of cameras, phones, scanners and rotated images.
const COMMON_SAMPLING: &[&str] =
    &["1x1", "2x1,1x1,1x1", "1x2,1x1,1x1", "2x2,1x1,1x1", "4x1,1x1,1x1", "2x2,2x1,2x1", "2x2,1x2,1x2"];
const SIZES: &[(usize, usize)] = &[(1, 1), (3, 17), (17, 3), (16, 16), (33, 49), (65, 31), (100, 90)];
/// Restart markers: none, after each block, after a row of blocks, and at odd positions.
const RESTARTS: &[&[&str]] = &[&[], &["-restart", "1B"], &["-restart", "1"], &["-restart", "3B"]];

/// Counts of the results of a test.
#[derive(Default)]
struct Tally {
    right: usize,
    refused: Vec<String>,
}

impl Tally {
    /// Compares one image with libjpeg's, in colour, in gray and at a reduced size.
    fn compare(&mut self, drawing: &Drawing, options: &[&str], scans: &str, name: &str) {
        let Some(jpeg) = encode(drawing, options, scans) else { return };
        let theirs = decode(&jpeg, &[]).zip(decode(&jpeg, &["-grayscale"]));
        // Half of its size, if there is one.
        let side = (drawing.width.min(drawing.height) as u16 / 2).max(1);
        let picture = InputImage::admit(&jpeg, DEFAULT_MAX_PIXELS);
        let ours =
            picture.and_then(|picture| Ok((picture.decode()?, picture.decode_gray()?, picture.decode_reduced(side)?)));
        let (our_colours, our_gray, reduced) = match ours {
            Ok(ours) => ours,
            Err(ImageError::Broken(_)) => return self.refused.push(name.to_owned()),
            Err(other) => panic!("{name}: {other}"),
        };
        let Some((colours, gray)) = theirs else { panic!("{name}: libjpeg does not read it") };
        // Upsampling differs between implementations, most visibly at the edges.
        let most = if drawing.width < 8 || drawing.height < 8 { 3.0 } else { 1.0 };
        let (width, height) = (drawing.width as u32, drawing.height as u32);
        let off = [
            difference(&our_colours.into_rgb8(), &colours),
            difference(&our_gray.into_luma8(), &gray),
            difference(
                &corners(&reduced.into_rgb8()),
                &corners(&RgbImage::from_raw(width, height, colours.clone()).unwrap()),
            ),
        ];
        assert!(
            off[0] < most && off[1] < most && (off[2] < 6.0 || drawing.width.min(drawing.height) < 16),
            "{name}: {off:?}"
        );
        self.right += 1;
    }
}

/// Returns the mean difference between bytes.
fn difference(ours: &[u8], theirs: &[u8]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum: u64 = ours.iter().zip(theirs).map(|(ours, theirs)| u64::from(ours.abs_diff(*theirs))).sum();
    sum as f64 / ours.len() as f64
}

/// Returns the mean colours of the four quarters, which are the same at any reduced size.
fn corners(picture: &RgbImage) -> Vec<u8> {
    let (across, down) = (picture.width().div_ceil(2), picture.height().div_ceil(2));
    let quarters = [(0, 0), (picture.width() - across, 0), (0, picture.height() - down)];
    let last = (picture.width() - across, picture.height() - down);
    let mean = |(left, top): (u32, u32), colour: usize| {
        let pixels = (left..left + across).flat_map(|x| (top..top + down).map(move |y| (x, y)));
        let sum: u32 = pixels.map(|(x, y)| u32::from(picture.get_pixel(x, y).0[colour])).sum();
        (sum / (across * down)) as u8
    };
    quarters.into_iter().chain([last]).flat_map(|corner| [0, 1, 2].map(|colour| mean(corner, colour))).collect()
}

#[test]
fn common_sampling_matches_libjpeg() {
    if !programs::are_installed() {
        return;
    }
    let mut tally = Tally::default();
    for &(width, height) in SIZES {
        let drawing = Drawing::new(width, height);
        for (sampling, (order, options, scans), restart) in COMMON_SAMPLING.iter().flat_map(|sampling| {
            ORDERS.iter().flat_map(move |order| RESTARTS.iter().map(move |restart| (sampling, order, restart)))
        }) {
            let name = format!("{width} x {height}, {sampling}, {order}, {restart:?}");
            tally.compare(&drawing, &[&["-sample", sampling][..], options, restart].concat(), scans, &name);
        }
    }
    assert_eq!(
        (tally.right, tally.refused),
        (COMMON_SAMPLING.len() * ORDERS.len() * RESTARTS.len() * SIZES.len(), Vec::new())
    );
}

#[test]
fn any_sampling_matches_libjpeg_or_is_rejected() {
    if !programs::are_installed() {
        return;
    }
    let mut tally = Tally::default();
    let factors = || (1..=4).flat_map(|across| (1..=4).map(move |down| format!("{across}x{down}")));
    let alike = factors().flat_map(|luma| factors().map(move |colour| format!("{luma},{colour},{colour}")));
    let apart =
        ["2x2,2x1,1x1", "2x2,1x2,2x1", "2x2,1x1,2x2", "1x1,2x1,1x1", "1x1,1x1,1x2", "2x1,1x1,2x1", "4x1,2x1,1x1"];
    for (number, sampling) in alike.chain(apart.map(str::to_owned)).enumerate() {
        for (turn, (order, options, scans)) in ORDERS.iter().enumerate() {
            // Each combination of size and restarts gets a turn.
            let turn = number * 5 + turn;
            let (width, height) = SIZES[turn % SIZES.len()];
            let restart = RESTARTS[turn % RESTARTS.len()];
            let name = format!("{width} x {height}, {sampling}, {order}, {restart:?}");
            let options = [&["-sample", &sampling][..], options, restart].concat();
            tally.compare(&Drawing::new(width, height), &options, scans, &name);
        }
    }
    println!("right {}, refused {}", tally.right, tally.refused.len());
    assert!(tally.right > 500 && tally.refused.len() < tally.right / 2, "{} right, {:?}", tally.right, tally.refused);
}

#[test]
fn gray_and_rgb_jpegs_match_libjpeg() {
    if !programs::are_installed() {
        return;
    }
    let mut tally = Tally::default();
    let orders = [("", ""), ("", "0: 0-0,0,1;\n0: 1-63,0,2;\n0: 1-63,2,1;\n0: 0-0,1,0;\n0: 1-63,1,0;\n")];
    for (&(width, height), restart) in SIZES.iter().flat_map(|size| RESTARTS.iter().map(move |restart| (size, restart)))
    {
        let drawing = Drawing::new(width, height);
        for (sampling, (_, scans)) in
            ["1x1", "2x1", "1x2", "2x2", "4x4"].iter().flat_map(|sampling| orders.map(|order| (sampling, order)))
        {
            let options = [&["-grayscale", "-sample", sampling][..], restart].concat();
            tally.compare(
                &drawing,
                &options,
                scans,
                &format!("gray {width} x {height}, {sampling}, {scans}, {restart:?}"),
            );
        }
        for (sampling, (order, options, scans)) in
            ["1x1", "2x2,1x1,1x1"].iter().flat_map(|sampling| ORDERS.iter().map(move |order| (sampling, order)))
        {
            let options = [&["-rgb", "-sample", sampling][..], options, restart].concat();
            tally.compare(
                &drawing,
                &options,
                scans,
                &format!("RGB {width} x {height}, {sampling}, {order}, {restart:?}"),
            );
        }
    }
    assert_eq!((tally.right, tally.refused), (SIZES.len() * RESTARTS.len() * (10 + 2 * ORDERS.len()), Vec::new()));
}
