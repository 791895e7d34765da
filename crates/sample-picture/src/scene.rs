//! What is in the picture, from the table up.

use crate::plane::{Colour, Point, light, mix, noise, ramp, scaled};
use crate::solid::{Rod, Surface, turned};

const CENTRE: Point = Point { x: 320.0, y: 244.0 };

/// How much the hot dog is turned, in radians.
const TILT: f32 = -0.26;

/// Where shadows fall: away from the lamp.
const SHADOW: Point = Point { x: 14.0, y: 19.0 };

const PLATE: f32 = 250.0;
const BUN: Rod = Rod { half_length: 140.0, radius: 92.0 };
const SAUSAGE: Rod = Rod { half_length: 206.0, radius: 46.0 };

/// The mustard's line runs through this many waves.
const WAVES: f32 = 4.5;
const MUSTARD_REACH: f32 = 180.0;
const MUSTARD_RADIUS: f32 = 10.5;
const MUSTARD_SWING: f32 = 22.0;

/// The light at a point.
pub(crate) fn colour(point: Point) -> Colour {
    let mut colour = table(point);
    colour = plate(point, colour);
    let shadow = Point { x: point.x - SHADOW.x, y: point.y - SHADOW.y }.seen_from(CENTRE, TILT);
    colour = scaled(colour, 1.0 - 0.55 * ramp(16.0, -22.0, BUN.distance(shadow).min(SAUSAGE.distance(shadow))));
    let local = point.seen_from(CENTRE, TILT);
    colour = bun(local, colour);
    colour = sausage(local, colour);
    mustard(local, colour)
}

/// A cloth in checks, lit from one side.
fn table(point: Point) -> Colour {
    let place = point.seen_from(CENTRE, 0.35);
    let band = |value: f32| ramp(-0.06, 0.06, (value / 27.0).sin());
    let checks = 0.5 * (band(place.x) + band(place.y));
    let cloth = mix(light(0x1f7f86), light(0x6fc3bd), checks);
    let weave = 0.96 + 0.08 * noise(place.x / 1.7, place.y / 1.7);
    let falloff = 1.12 - 0.55 * ramp(60.0, 560.0, point.distance(Point { x: 150.0, y: 80.0 }));
    scaled(cloth, weave * falloff)
}

/// A white plate with a raised rim, and its shadow.
fn plate(point: Point, below: Colour) -> Colour {
    let shadow = Point { x: point.x - SHADOW.x * 0.8, y: point.y - SHADOW.y * 0.8 };
    let below = scaled(below, 1.0 - 0.5 * ramp(PLATE + 16.0, PLATE - 12.0, shadow.distance(CENTRE)));
    let from_centre = point.distance(CENTRE);
    if from_centre > PLATE {
        return below;
    }
    // The rim rises towards the edge, then bends over; the floor is flat.
    let slope = -0.42 * ramp(168.0, 196.0, from_centre) * ramp(PLATE - 22.0, PLATE - 34.0, from_centre)
        + 0.8 * ramp(PLATE - 12.0, PLATE, from_centre);
    let (x, y) = ((point.x - CENTRE.x) / from_centre.max(1.0), (point.y - CENTRE.y) / from_centre.max(1.0));
    let length = (1.0 + slope * slope).sqrt();
    let china = Surface { colour: light(0xfbf6ec), gloss: 0.35, polish: 40 };
    let lit = china.lit([x * slope / length, y * slope / length, 1.0 / length]);
    let line = ramp(3.2, 1.6, (from_centre - (PLATE - 20.0)).abs());
    mix(lit, mix(lit, light(0xd0553f), 0.85), line)
}

/// Two halves, browned on their outer sides, with crumb where they are cut.
fn bun(local: Point, below: Colour) -> Colour {
    if BUN.distance(local) > 0.0 {
        return below;
    }
    let across = local.y.abs() / BUN.radius;
    let crust =
        mix(light(0xf0c27a), light(0xb86a24), ramp(0.42, 1.0, across + 0.25 * noise(local.x / 21.0, local.y / 21.0)));
    let crumb = scaled(light(0xfff3d6), 1.08 + 0.14 * noise(local.x / 4.0, local.y / 4.0));
    let cut = ramp(0.66, 0.60, across + 0.03 * noise(local.x / 9.0, 0.0));
    let surface = Surface { colour: mix(crust, crumb, cut), gloss: 0.16 * (1.0 - cut), polish: 12 };
    let lit = surface.lit(turned(BUN.normal(local), TILT));
    // The cut leads down to the sausage, which keeps the light away.
    scaled(lit, 1.0 - 0.42 * ramp(11.0, 0.0, SAUSAGE.distance(local)))
}

/// Longer than its bun, with dark stripes of the grill.
fn sausage(local: Point, below: Colour) -> Colour {
    if SAUSAGE.distance(local) > 0.0 {
        return below;
    }
    let skin = mix(light(0xb23a1e), light(0xd5673a), noise(local.x / 34.0, local.y / 11.0));
    let stripe = ramp(0.82, 0.97, ((local.x + 0.7 * local.y) / 13.5).sin());
    let surface = Surface { colour: mix(skin, light(0x5c1c10), 0.6 * stripe), gloss: 0.5, polish: 26 };
    surface.lit(turned(SAUSAGE.normal(local), TILT))
}

/// A wavy line on top.
fn mustard(local: Point, below: Colour) -> Colour {
    // Most of the picture is too far away for the search below.
    if local.y.abs() > MUSTARD_SWING + 2.0 * MUSTARD_RADIUS || local.x.abs() > MUSTARD_REACH + 2.0 * MUSTARD_RADIUS {
        return below;
    }
    let wave = |x: f32| MUSTARD_SWING * (x / MUSTARD_REACH * WAVES * std::f32::consts::PI).sin();
    // The nearest point of the line, found by looking around: its slope is steep enough that straight down would not do.
    let steps = (-60..=60).map(|step| (local.x + step as f32 * 0.35).clamp(-MUSTARD_REACH, MUSTARD_REACH));
    let on_line = steps.map(|x| Point { x, y: wave(x) });
    let Some(nearest) = on_line.min_by(|a, b| a.distance(local).total_cmp(&b.distance(local))) else { return below };
    let distance = nearest.distance(local);
    let below = scaled(below, 1.0 - 0.4 * ramp(MUSTARD_RADIUS + 6.0, MUSTARD_RADIUS - 2.0, distance));
    if distance > MUSTARD_RADIUS {
        return below;
    }
    let (x, y) = ((local.x - nearest.x) / MUSTARD_RADIUS, (local.y - nearest.y) / MUSTARD_RADIUS);
    let surface = Surface { colour: light(0xf7c325), gloss: 0.6, polish: 18 };
    surface.lit(turned([x, y, (1.0 - x * x - y * y).max(0.0).sqrt()], TILT))
}
