//! libjpeg's own programs.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;

/// Waves of colours, in PNM.
pub(crate) struct Drawing {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pnm: Vec<u8>,
}

impl Drawing {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let wave = |at: f64| (at.sin() * 90.0 + 128.0) as u8;
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x as f64, y as f64)));
        let pixels = pixels.flat_map(|(x, y)| [wave(x / 9.0), wave(y / 11.0 + 1.0), wave((x + y) / 13.0)]);
        let pnm = format!("P6\n{width} {height}\n255\n").into_bytes().into_iter().chain(pixels).collect();
        Self { width, height, pnm }
    }
}

/// Returns true if the programs are installed. On CI they must be.
pub(crate) fn are_installed() -> bool {
    let is_there = |program: &str| Command::new(program).arg("-version").stderr(Stdio::null()).status().is_ok();
    let are_installed = is_there("cjpeg") && is_there("djpeg");
    assert!(
        are_installed || std::env::var_os("CI").is_none(),
        "cjpeg and djpeg are not installed, and on CI they must be"
    );
    if !are_installed {
        println!("DID NOT RUN: cjpeg and djpeg are not installed");
    }
    are_installed
}

/// Encodes the drawing as JPEG; `None` if these sampling factors and scans are incompatible.
pub(crate) fn encode(drawing: &Drawing, options: &[&str], scans: &str) -> Option<Vec<u8>> {
    let script = tempfile::NamedTempFile::new().unwrap();
    fs::write(script.path(), scans).unwrap();
    let script = ["-scans", script.path().to_str().unwrap()];
    let script = if scans.is_empty() { &[][..] } else { &script };
    output("cjpeg", &[&["-quality", "95"], options, script].concat(), &drawing.pnm)
}

/// Decodes a JPEG; `None` if libjpeg does not decode it.
pub(crate) fn decode(jpeg: &[u8], options: &[&str]) -> Option<Vec<u8>> {
    let pnm = output("djpeg", &[options, &["-pnm"]].concat(), jpeg)?;
    let header_end = pnm.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(2)?.0;
    let pixels = &pnm[header_end + 1..];
    let is_gray = pnm.starts_with(b"P5");
    let wants_gray = options.contains(&"-grayscale");
    // An image without colours is gray, whatever was requested.
    Some(if is_gray && !wants_gray { pixels.iter().flat_map(|gray| [*gray; 3]).collect() } else { pixels.to_vec() })
}

fn output(program: &str, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // It may write before it has read everything, and stop reading at an error.
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        process.wait_with_output().unwrap()
    });
    output.status.success().then_some(output.stdout)
}
