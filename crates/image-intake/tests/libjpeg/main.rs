//! Every kind of JPEG that libjpeg writes, decoded as libjpeg decodes it, or refused.
//!
//! `cjpeg` and `djpeg` of libjpeg-turbo are what `cargo xtask setup --test-servers` installs.

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
use image_intake::{DEFAULT_MAX_PIXELS, Picture, Refusal};
use programs::{Drawing, decoded, encoded};

/// How samples may be ordered: a name, options of `cjpeg`, and its script of scans.
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
/// Sampling factors of what cameras, phones, scanners and turned pictures have.
const USUAL: &[&str] =
    &["1x1", "2x1,1x1,1x1", "1x2,1x1,1x1", "2x2,1x1,1x1", "4x1,1x1,1x1", "2x2,2x1,2x1", "2x2,1x2,1x2"];
const SIZES: &[(usize, usize)] = &[(1, 1), (3, 17), (17, 3), (16, 16), (33, 49), (65, 31), (100, 90)];
/// None, after each block, after a row of blocks, and where it falls.
const RESTARTS: &[&[&str]] = &[&[], &["-restart", "1B"], &["-restart", "1"], &["-restart", "3B"]];

/// What became of the pictures of a test.
#[derive(Default)]
struct Tally {
    right: usize,
    refused: Vec<String>,
}

impl Tally {
    /// Compares one picture with libjpeg's, in colours, in gray and at a fraction of its size.
    fn compare(&mut self, drawing: &Drawing, options: &[&str], scans: &str, name: &str) {
        let Some(jpeg) = encoded(drawing, options, scans) else { return };
        let theirs = decoded(&jpeg, &[]).zip(decoded(&jpeg, &["-grayscale"]));
        // Half of its size, if it has one.
        let side = (drawing.width.min(drawing.height) as u16 / 2).max(1);
        let picture = Picture::admit(&jpeg, DEFAULT_MAX_PIXELS);
        let ours =
            picture.and_then(|picture| Ok((picture.decode()?, picture.decode_gray()?, picture.decode_reduced(side)?)));
        let (our_colours, our_gray, reduced) = match ours {
            Ok(ours) => ours,
            Err(Refusal::Broken(_)) => return self.refused.push(name.to_owned()),
            Err(other) => panic!("{name}: {other}"),
        };
        let Some((colours, gray)) = theirs else { panic!("{name}: libjpeg does not read it") };
        // Where samples are spread over more pixels, each program does so in its own way; at the edges it shows most.
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

/// The mean difference between bytes.
fn difference(ours: &[u8], theirs: &[u8]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let sum: u64 = ours.iter().zip(theirs).map(|(ours, theirs)| u64::from(ours.abs_diff(*theirs))).sum();
    sum as f64 / ours.len() as f64
}

/// The mean colours of the four quarters, which a picture keeps at any fraction of its size.
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
fn usual_sampling_in_any_order_has_libjpegs_pixels() {
    if !programs::are_there() {
        return;
    }
    let mut tally = Tally::default();
    for &(width, height) in SIZES {
        let drawing = Drawing::new(width, height);
        for (sampling, (order, options, scans), restart) in USUAL.iter().flat_map(|sampling| {
            ORDERS.iter().flat_map(move |order| RESTARTS.iter().map(move |restart| (sampling, order, restart)))
        }) {
            let name = format!("{width} x {height}, {sampling}, {order}, {restart:?}");
            tally.compare(&drawing, &[&["-sample", sampling][..], options, restart].concat(), scans, &name);
        }
    }
    assert_eq!((tally.right, tally.refused), (USUAL.len() * ORDERS.len() * RESTARTS.len() * SIZES.len(), Vec::new()));
}

#[test]
fn any_sampling_has_libjpegs_pixels_or_is_refused() {
    if !programs::are_there() {
        return;
    }
    let mut tally = Tally::default();
    let factors = || (1..=4).flat_map(|across| (1..=4).map(move |down| format!("{across}x{down}")));
    let alike = factors().flat_map(|luma| factors().map(move |colour| format!("{luma},{colour},{colour}")));
    let apart =
        ["2x2,2x1,1x1", "2x2,1x2,2x1", "2x2,1x1,2x2", "1x1,2x1,1x1", "1x1,1x1,1x2", "2x1,1x1,2x1", "4x1,2x1,1x1"];
    for (number, sampling) in alike.chain(apart.map(str::to_owned)).enumerate() {
        for (turn, (order, options, scans)) in ORDERS.iter().enumerate() {
            // Each combination of size and restarts has its turn.
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
fn gray_and_rgb_jpegs_have_libjpegs_pixels() {
    if !programs::are_there() {
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
