//! Error responses of the services.

use std::io::{Read as _, Write as _};
use std::time::Instant;

use e2e::Deployment;
use image::ImageFormat;

use crate::pictures::picture;

#[test]
fn invalid_images_get_specific_statuses() {
    let deployment = Deployment::start(&crate::options());
    let png = picture(ImageFormat::Png);
    let truncated = png[..png.len() / 2].to_vec();
    for path in ["/grayscale", "/classify"] {
        let post = |body: &[u8]| {
            let service = if path == "/grayscale" { Deployment::grayscale } else { Deployment::classify };
            service(&deployment, "POST", path).body(body).send()
        };
        assert_eq!(post(&png).status, 200, "{path}");
        for (body, status) in [(&b"hello"[..], 415), (&truncated, 422), (b"", 400)] {
            let answer = post(body);
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
}

#[test]
fn unknown_path_and_wrong_method_differ() {
    let deployment = Deployment::start(&crate::options());
    assert_eq!(deployment.grayscale("GET", "/nowhere").send().status, 404);
    let wrong = deployment.grayscale("GET", "/grayscale").send();
    assert_eq!(wrong.status, 405);
    assert!(wrong.header("allow").contains("POST"), "{}", wrong.header("allow"));
    let preflight = deployment.grayscale("OPTIONS", "/grayscale").header("Origin", "http://elsewhere.example");
    let preflight = preflight.header("Access-Control-Request-Method", "POST").send();
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
}

#[test]
fn body_over_the_limit_is_rejected_before_sending() {
    let deployment = Deployment::start(&crate::options());
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", deployment.ports.grayscale)).unwrap();
    stream.write_all(b"POST /grayscale HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

/// Creates a PNG header that claims 50,000 x 50,000 pixels, without data.
fn enormous_png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend(50_000_u32.to_be_bytes());
    png.extend(50_000_u32.to_be_bytes());
    png.extend([8, 2, 0, 0, 0]);
    png.extend([0; 4]);
    png
}

#[test]
fn too_many_claimed_pixels_are_rejected_without_allocation() {
    let deployment = Deployment::start(&crate::options());
    let mut bmp = b"BM".to_vec();
    bmp.extend([0; 12]);
    bmp.extend(40_u32.to_le_bytes());
    bmp.extend(50_000_u32.to_le_bytes());
    bmp.extend(50_000_u32.to_le_bytes());
    bmp.extend([1, 0, 24, 0]);
    bmp.extend([0; 24]);
    let mut gif = b"GIF89a".to_vec();
    gif.extend(50_000_u16.to_le_bytes());
    gif.extend(50_000_u16.to_le_bytes());
    gif.extend([0, 0, 0]);
    for body in [enormous_png(), bmp, gif] {
        let begin = Instant::now();
        let answer = deployment.grayscale("POST", "/grayscale").body(body).send();
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert!(begin.elapsed().as_secs() < 2, "{:?}", begin.elapsed());
    }
}
