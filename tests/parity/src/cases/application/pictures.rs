//! Valid and invalid images, rate limits and outages.

use std::io::Cursor;

use anyhow::Context as _;
use image::{DynamicImage, ImageFormat, RgbImage};

use super::{CLASSIFY, EVENTS, GRAYSCALE, by_user};
use deployments::Database;

use crate::case::{Case, Step, app, case, dapr};

const SAMPLE: &[u8] = include_bytes!("../../../../../docs/sample.jpg");

fn gray(body: impl Into<bytes::Bytes>) -> Step {
    by_user(app(GRAYSCALE, "POST", "/grayscale").body(body))
}

fn picture(format: ImageFormat) -> anyhow::Result<Vec<u8>> {
    let pixels = RgbImage::from_fn(40, 20, |x, y| image::Rgb([(x * 6) as u8, (y * 12) as u8, 99]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

pub(super) fn cases() -> anyhow::Result<Vec<Case>> {
    let mut all = Vec::new();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
        let sent = picture(format)?;
        all.push(case(format!("grayscale: {format:?}"), [gray(sent.clone())]));
        all.push(case(
            format!("grayscale: {format:?}, the picture itself"),
            [gray(sent.clone()).header("accept", "image/png")],
        ));
        let half = sent.get(..sent.len() / 2).context("half a picture")?.to_vec();
        all.push(case(format!("grayscale: half of {format:?}"), [gray(half)]));
        all.push(case(format!("classify: {format:?}"), [by_user(app(CLASSIFY, "POST", "/classify").body(sent))]));
    }
    all.push(case("grayscale: the sample", [gray(SAMPLE)]));
    let classify = |method: &str, target: &str| by_user(app(CLASSIFY, method, target));
    all.push(case("classify: the sample", [classify("POST", "/classify").body(SAMPLE)]));
    all.push(case("classify: more classes than can be asked for", [classify("POST", "/classify?k=many").body(SAMPLE)]));
    all.push(case("classify: the model", [classify("GET", "/model")]));
    let invoked = dapr(GRAYSCALE, "POST", "/v1.0/invoke/image-api-grayscale/method/grayscale").body(SAMPLE);
    all.push(case("grayscale: the sample, invoked by itself", [by_user(invoked)]));
    let from_another = dapr(EVENTS, "POST", "/v1.0/invoke/image-api-grayscale/method/grayscale").body(SAMPLE);
    all.push(case("grayscale: the sample, invoked by another", [by_user(from_another)]));
    for (name, accept) in [
        ("JSON", "application/json"),
        ("text", "text/plain"),
        ("anything", "*/*"),
        ("what nobody has", "video/mp4"),
        ("rubbish", ";;;"),
    ] {
        let sent = picture(ImageFormat::Png)?;
        all.push(case(format!("grayscale: who accepts {name}"), [gray(sent).header("accept", accept)]));
    }
    for (name, body) in [
        ("nothing", Vec::new()),
        ("text", b"hello".to_vec()),
        ("zeros", vec![0; 1000]),
        ("a header alone", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("a huge PNG", huge_png()),
    ] {
        all.push(case(format!("grayscale: refused: {name}"), [gray(body.clone())]));
        all.push(case(format!("classify: refused: {name}"), [by_user(app(CLASSIFY, "POST", "/classify").body(body))]));
    }
    Ok(all)
}

/// A body rejected before it has arrived: `wasmtime serve` closes the connection while the client still sends.
pub(super) fn too_long() -> Case {
    case("grayscale: refused: seventeen mebibytes", [gray(vec![b'x'; 17 << 20])])
}

/// Creates a PNG whose header claims 50,000 by 50,000 pixels.
fn huge_png() -> Vec<u8> {
    let mut bytes =
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xc3\x50\x00\x00\xc3\x50\x08\x02\x00\x00\x00".to_vec();
    bytes.extend([0x4d, 0xa2, 0x62, 0xb6]);
    bytes
}

/// One user over the limit, and another one within it.
pub(super) fn limits() -> anyhow::Result<Vec<Case>> {
    let sent = picture(ImageFormat::Png)?;
    let again = || gray(sent.clone());
    let other = app(GRAYSCALE, "POST", "/grayscale").body(sent.clone()).header("x-forwarded-for", "10.9.9.9");
    let chain = app(GRAYSCALE, "POST", "/grayscale").body(sent.clone()).header("x-forwarded-for", "10.9.9.8, {user}");
    Ok(vec![case(
        "grayscale: one user too often",
        [again(), again(), again(), again(), again(), again(), chain, other],
    )])
}

/// The database is frozen; the image gets a response, and its event arrives once the database continues, only once.
pub(super) fn outage() -> anyhow::Result<Vec<Case>> {
    let sent = picture(ImageFormat::Png)?;
    Ok(vec![case(
        "grayscale: a database that stands still",
        [
            app(EVENTS, "DELETE", "/events"),
            gray(sent).after(Database::Freeze),
            app(EVENTS, "GET", "/events").after(Database::Thaw).until_body("\"op_type\":\"grayscale\""),
            // A pending event would be delivered into the empty table of the next deployment that uses this Redis.
            dapr(GRAYSCALE, "GET", "/v1.0/state/statestore/outbox").until_body("\"events\":[]"),
        ],
    )])
}
