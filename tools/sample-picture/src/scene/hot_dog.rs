//! A hot dog with mustard on a wooden table, seen from above.

use crate::plane::{Colour, Point, distance, light, mix, ramp, scale};

const MIDDLE: Point = Point { x: 320.0, y: 240.0 };

/// Size of a pixel in the hot dog's coordinates.
const SCALE: f32 = 0.66;

/// Distance of the ends of bun and sausage from the centre, along the hot dog.
const BUN: f32 = 150.0;
const SAUSAGE: f32 = 190.0;

/// Returns the light at a point.
pub(super) fn colour(point: Point) -> Colour {
    // Coordinates along the slightly rotated hot dog, and across it.
    let (x, y) = ((point.x - MIDDLE.x) * SCALE, (point.y - MIDDLE.y) * SCALE);
    let (along, across) = (x * 0.96 + y * 0.27, y * 0.96 - x * 0.27 + x * x / 2400.0 - 8.0);
    let place = Point { x: along, y: across };
    let line = |half: f32, y: f32| distance(place, Point { x: -half, y }, Point { x: half, y });
    let mustard = across - 11.0 * (along / 17.0).sin();
    if mustard.abs() < 6.5 && along.abs() < SAUSAGE - 14.0 {
        return scale(light(0xf2c21c), 1.0 - 0.25 * ramp(2.0, 6.5, mustard.abs()));
    }
    let sausage = line(SAUSAGE, 0.0);
    if sausage < 31.0 {
        let shine = ramp(14.0, 0.0, (across + 15.0).abs());
        let skin = mix(light(0xa8452a), light(0x6e2415), ramp(8.0, 31.0, sausage));
        return mix(skin, light(0xf0b090), 0.35 * shine);
    }
    let bun = line(BUN, -34.0).min(line(BUN, 34.0));
    if bun < 40.0 {
        let crust = mix(light(0xe9bd7c), light(0xb0742f), ramp(12.0, 40.0, bun));
        let crumb = ramp(48.0, 31.0, sausage);
        return mix(crust, light(0xfbeccb), 0.75 * crumb);
    }
    table(point, bun)
}

fn table(point: Point, bun: f32) -> Colour {
    let shadow = 1.0 - 0.35 * ramp(70.0, 40.0, bun);
    let grain = 0.9 + 0.1 * (point.y / 5.0 + 2.0 * (point.x / 90.0).sin()).sin();
    let plank = if point.y % 120.0 < 2.0 { 0.6 } else { 1.0 };
    scale(light(0x8a5a35), grain * plank * shadow)
}
