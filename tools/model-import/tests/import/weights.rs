//! Generated weights of EfficientNet-Lite0, as a file in PyTorch's format.
//!
//! `models/reference/efficientnet.py` generates the same ones, and computes with them in PyTorch.

use std::fmt::Write as _;

/// Stages: number of blocks, and their kernel, expansion and channels.
const STAGES: [(usize, usize, usize, usize); 7] =
    [(1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112), (4, 5, 6, 192), (1, 3, 6, 320)];

/// Returns names and shapes of all tensors, in saving order.
fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = Vec::new();
    let mut layer = |conv: String, norm: String, shape: [usize; 4]| {
        shapes.push((format!("{conv}.weight"), shape.to_vec()));
        for name in ["weight", "bias", "running_mean", "running_var"] {
            shapes.push((format!("{norm}.{name}"), vec![shape[0]]));
        }
    };
    layer("_conv_stem".into(), "_bn0".into(), [32, 3, 3, 3]);
    let (mut number, mut channels) = (0, 32);
    for (blocks, kernel, expansion, out) in STAGES {
        for _ in 0..blocks {
            let name = |layer: &str| format!("_blocks.{number}.{layer}");
            let inside = channels * expansion;
            if expansion > 1 {
                layer(name("_expand_conv"), name("_bn0"), [inside, channels, 1, 1]);
            }
            layer(name("_depthwise_conv"), name("_bn1"), [inside, 1, kernel, kernel]);
            layer(name("_project_conv"), name("_bn2"), [out, inside, 1, 1]);
            (number, channels) = (number + 1, out);
        }
    }
    layer("_conv_head".into(), "_bn1".into(), [1280, 320, 1, 1]);
    shapes.push(("_fc.weight".to_owned(), vec![1000, 1280]));
    shapes.push(("_fc.bias".to_owned(), vec![1000]));
    shapes
}

/// Returns a number from -0.5 to 0.5 that depends only on its position.
fn scattered(tensor: usize, place: usize) -> f32 {
    let mut bits = (tensor as u32).wrapping_mul(0x9e37_79b9) ^ (place as u32).wrapping_mul(0x85eb_ca6b);
    bits ^= bits >> 16;
    bits = bits.wrapping_mul(0x7feb_352d);
    bits ^= bits >> 15;
    bits = bits.wrapping_mul(0x846c_a68b);
    bits ^= bits >> 16;
    (f64::from(bits) / 4_294_967_296.0 - 0.5) as f32
}

fn values(tensor: usize, name: &str, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let fan_in: usize = shape[1..].iter().product();
    let scale = 4.0 / (fan_in as f32).sqrt();
    let value = |place| match name.rsplit('.').next() {
        Some("running_var") => 1.0 + 0.5 * scattered(tensor, place),
        Some("weight") if shape.len() == 1 => 1.0 + 0.5 * scattered(tensor, place),
        Some("weight") => scale * scattered(tensor, place),
        _ => 0.5 * scattered(tensor, place),
    };
    (0..count).map(value).collect()
}

/// Returns the complete file.
pub(crate) fn pth() -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    file.extend(b"\x80\x02}X\x0d\0\0\0little_endian\x88s.");
    file.extend(b"\x80\x02ccollections\nOrderedDict\n)R(");
    let shapes = shapes();
    for (key, (name, shape)) in shapes.iter().enumerate() {
        text(&mut file, name);
        file.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut file, "storage");
        file.extend(b"ctorch\nFloatStorage\n");
        text(&mut file, &key.to_string());
        text(&mut file, "cpu");
        int(&mut file, shape.iter().product());
        file.extend(b"NtQK\0(");
        shape.iter().for_each(|size| int(&mut file, *size));
        file.extend(b"t(");
        for at in 0..shape.len() {
            int(&mut file, shape[at + 1..].iter().product());
        }
        file.extend(b"t\x89ccollections\nOrderedDict\n)RtR");
    }
    file.extend(b"u.\x80\x02](");
    (0..shapes.len()).for_each(|key| text(&mut file, &key.to_string()));
    file.extend(b"e.");
    for (tensor, (name, shape)) in shapes.iter().enumerate() {
        let values = values(tensor, name, shape);
        file.extend((values.len() as u64).to_le_bytes());
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    file
}

fn text(file: &mut Vec<u8>, text: &str) {
    file.push(b'X');
    file.extend((text.len() as u32).to_le_bytes());
    file.extend(text.as_bytes());
}

fn int(file: &mut Vec<u8>, value: usize) {
    file.push(b'J');
    file.extend((value as i32).to_le_bytes());
}

/// Formats a link to a file as in a package index.
pub(crate) fn html_link(url: &str, name: &str) -> String {
    let mut page = "<!DOCTYPE html><html><body>\n".to_owned();
    let _ = write!(page, "<a href=\"{url}#sha256=0&amp;x\" data-requires-python=\"&gt;=3\">{name}</a><br/>");
    page + "</body></html>"
}
