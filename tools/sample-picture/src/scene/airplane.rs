//! An airliner before a few clouds, its nose to the right.

use crate::plane::{Colour, Point, Shape, capsule, light, mix, ramp, scale};

const TAIL: Shape = Shape(&[(96.0, 120.0), (134.0, 120.0), (196.0, 222.0), (128.0, 226.0)]);
const STABILISER: Shape = Shape(&[(92.0, 214.0), (122.0, 210.0), (186.0, 232.0), (168.0, 240.0)]);
const WING: Shape = Shape(&[(282.0, 258.0), (400.0, 258.0), (262.0, 352.0), (222.0, 352.0)]);
const FAR_WING: Shape = Shape(&[(300.0, 176.0), (322.0, 176.0), (396.0, 222.0), (330.0, 222.0)]);
const COCKPIT: Shape = Shape(&[(528.0, 214.0), (548.0, 218.0), (558.0, 228.0), (530.0, 228.0)]);

/// Clouds: centre and size of each.
const CLOUDS: [(Point, f32); 4] = [
    (Point { x: 90.0, y: 420.0 }, 90.0),
    (Point { x: 190.0, y: 446.0 }, 110.0),
    (Point { x: 520.0, y: 400.0 }, 80.0),
    (Point { x: 610.0, y: 440.0 }, 120.0),
];

/// Returns the light at a point.
pub(super) fn colour(point: Point) -> Colour {
    let white = light(0xf3f5f7);
    let shade = |colour: Colour| scale(colour, 0.62 + 0.4 * ramp(275.0, 205.0, point.y));
    if WING.holds(point) {
        return scale(light(0xb9c2cb), 0.75 + 0.25 * ramp(352.0, 258.0, point.y));
    }
    if engine(point) {
        return shade(light(0x8d99a5));
    }
    if COCKPIT.holds(point) || is_window(point) {
        return light(0x27384a);
    }
    if fuselage(point) {
        let stripe = (238.0..246.0).contains(&point.y);
        return if stripe { light(0x1f5fa8) } else { shade(white) };
    }
    if STABILISER.holds(point) {
        return light(0xc8d0d7);
    }
    if TAIL.holds(point) {
        return light(0x1f5fa8);
    }
    if FAR_WING.holds(point) { light(0xa4afb9) } else { sky(point) }
}

fn fuselage(point: Point) -> bool {
    let (nose, tail) = (Point { x: 540.0, y: 234.0 }, Point { x: 170.0, y: 234.0 });
    // It narrows towards the tail.
    capsule(point, tail, nose, 31.0) || Shape(&[(104.0, 214.0), (180.0, 203.0), (180.0, 264.0)]).holds(point)
}

fn engine(point: Point) -> bool {
    capsule(point, Point { x: 300.0, y: 292.0 }, Point { x: 352.0, y: 292.0 }, 15.0)
}

fn is_window(point: Point) -> bool {
    (222.0..231.0).contains(&point.y) && (190.0..510.0).contains(&point.x) && point.x % 16.0 < 8.0
}

fn sky(point: Point) -> Colour {
    let blue = mix(light(0x2f74c0), light(0xa9cdec), ramp(0.0, 470.0, point.y));
    let cover = CLOUDS.iter().map(|(middle, size)| {
        let away = ((point.x - middle.x) / 1.6).hypot(point.y - middle.y);
        ramp(*size, size * 0.3, away)
    });
    mix(blue, light(0xf7fafc), cover.fold(0.0, f32::max) * 0.9)
}
