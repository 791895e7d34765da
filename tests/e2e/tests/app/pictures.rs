//! Generated images sent through the services.

use std::io::Cursor;

use base64::Engine as _;
use e2e::{Deployment, Options};
use image::{DynamicImage, ImageFormat, RgbImage};

/// Creates an image with known gray values: red on the left, blue on the right.
pub(crate) fn picture(format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_fn(40, 20, |x, _| image::Rgb(if x < 20 { [255, 0, 0] } else { [0, 0, 255] }));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn every_format_turns_gray_and_records_an_event() {
    let deployment = Deployment::start(&crate::options());
    let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Gif];
    for format in formats {
        let answer = deployment.grayscale("POST", "/grayscale").body(picture(format)).send();
        assert_eq!(answer.status, 200, "{format:?}: {}", answer.text());
        assert_eq!(answer.header("event-delivery"), "recorded", "{format:?}");
        let decoded = base64::engine::general_purpose::STANDARD.decode(answer.body).unwrap();
        let expected = if format == ImageFormat::Gif { ImageFormat::Gif } else { ImageFormat::Png };
        assert_eq!(image::guess_format(&decoded).unwrap(), expected);
        let gray = image::load_from_memory(&decoded).unwrap().to_rgb8();
        let (left, right) = (gray.get_pixel(5, 10).0, gray.get_pixel(35, 10).0);
        assert!(left[0] == left[1] && left[1] == left[2], "{format:?}: {left:?}");
        // BT.601: 0.299 of red is 76, 0.114 of blue 29; JPEG and a palette lose a little.
        assert!(left[0].abs_diff(76) <= 4 && right[0].abs_diff(29) <= 4, "{format:?}: {left:?} {right:?}");
    }
    let events = deployment.events("GET", "/events").send().json();
    let kinds: Vec<_> = events.as_array().unwrap().iter().map(|event| event["op_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["grayscale"; 5]);
    assert_eq!(events[0]["input_size"], picture(ImageFormat::Png).len());
}

#[test]
fn accept_header_gets_the_image_itself() {
    let deployment = Deployment::start(&crate::options());
    let request = deployment.grayscale("POST", "/grayscale").header("Accept", "image/png");
    let answer = request.body(picture(ImageFormat::Jpeg)).send();
    assert_eq!(answer.header("content-type"), "image/png");
    assert_eq!(image::guess_format(&answer.body).unwrap(), ImageFormat::Png);
}

#[test]
fn dapr_invocation_gives_the_same_response() {
    let deployment = Deployment::start(&crate::options());
    let sent = picture(ImageFormat::Png);
    let direct = deployment.grayscale("POST", "/grayscale").body(sent.clone()).send();
    let path = "/v1.0/invoke/image-api-grayscale/method/grayscale";
    let invoked = deployment.dapr("POST", path).body(sent.clone()).send();
    assert_eq!((direct.status, &direct.body), (invoked.status, &invoked.body));
    let by_header =
        deployment.dapr("POST", "/grayscale").header("dapr-app-id", "image-api-grayscale").body(sent).send();
    assert_eq!(by_header.body, direct.body);
}

#[test]
fn user_over_limit_gets_retry_after_and_others_pass() {
    let limits = ["RATE_LIMIT_PER_MINUTE=2", "RATE_LIMIT_BURST=2", "TRUSTED_PROXIES=loopback"];
    let settings = limits.map(str::to_owned).to_vec();
    let deployment = Deployment::start(&Options { settings, ..crate::options() });
    let ask = |user: &str| {
        let request = deployment.grayscale("POST", "/grayscale").header("X-Forwarded-For", user);
        request.body(picture(ImageFormat::Png)).send()
    };
    assert_eq!([ask("203.0.113.1").status, ask("203.0.113.1").status], [200, 200]);
    let refused = ask("203.0.113.1");
    assert_eq!(refused.status, 429);
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(ask("203.0.113.2").status, 200);
}

#[test]
fn limit_cannot_be_evaded_by_a_header_as_shipped() {
    let settings = ["RATE_LIMIT_PER_MINUTE=2", "RATE_LIMIT_BURST=2"].map(str::to_owned).to_vec();
    let deployment = Deployment::start(&Options { settings, ..crate::options() });
    let ask = |user: &str| {
        let request = deployment.grayscale("POST", "/grayscale").header("X-Forwarded-For", user);
        request.body(picture(ImageFormat::Png)).send().status
    };
    assert_eq!([ask("203.0.113.1"), ask("203.0.113.2"), ask("203.0.113.3")], [200, 200, 429]);
}
