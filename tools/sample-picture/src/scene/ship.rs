//! A container ship: layers from the sky to the water in front of the ship.

use crate::plane::{Colour, Point, Shape, light, mix, ramp, scale};

/// Height of the horizon.
const HORIZON: f32 = 300.0;

/// Height of the waterline.
const WATERLINE: f32 = 352.0;

/// A part of the ship. The sun is on the left.
struct Piece {
    shape: Shape,
    colour: u32,
}

const fn piece(shape: &'static [(f32, f32)], colour: u32) -> Piece {
    Piece { shape: Shape(shape), colour }
}

/// Parts of the ship; each covers those before it.
const SHIP: &[Piece] = &[
    piece(&[(330.0, 190.0), (520.0, 190.0), (520.0, 262.0), (330.0, 262.0)], 0xf4f2ea),
    piece(&[(365.0, 140.0), (500.0, 140.0), (500.0, 192.0), (365.0, 192.0)], 0xe9e7de),
    piece(&[(395.0, 105.0), (470.0, 105.0), (470.0, 142.0), (395.0, 142.0)], 0xf4f2ea),
    piece(&[(415.0, 60.0), (455.0, 60.0), (455.0, 108.0), (415.0, 108.0)], 0xd0553f),
    piece(&[(415.0, 60.0), (455.0, 60.0), (455.0, 74.0), (415.0, 74.0)], 0x20242a),
    piece(&[(130.0, 222.0), (176.0, 222.0), (176.0, 262.0), (130.0, 262.0)], 0xd98a2b),
    piece(&[(180.0, 222.0), (226.0, 222.0), (226.0, 262.0), (180.0, 262.0)], 0x2f6f9f),
    piece(&[(230.0, 222.0), (276.0, 222.0), (276.0, 262.0), (230.0, 262.0)], 0x9c3b30),
    piece(&[(280.0, 222.0), (326.0, 222.0), (326.0, 262.0), (280.0, 262.0)], 0x4f8a52),
    piece(&[(50.0, 258.0), (580.0, 258.0), (548.0, WATERLINE), (112.0, WATERLINE)], 0x1e2a38),
    piece(&[(98.0, 330.0), (556.0, 330.0), (548.0, WATERLINE), (112.0, WATERLINE)], 0x8a2b22),
    piece(&[(50.0, 256.0), (580.0, 256.0), (577.0, 266.0), (56.0, 266.0)], 0xe8e4da),
];

/// Rows of windows: start, count, and height.
const WINDOWS: [(Point, u8, f32); 2] =
    [(Point { x: 345.0, y: 210.0 }, 7, 14.0), (Point { x: 378.0, y: 158.0 }, 5, 12.0)];
const WINDOW_WIDTH: f32 = 12.0;
const WINDOW_STEP: f32 = 24.0;

/// Returns the light at a point.
pub(super) fn colour(point: Point) -> Colour {
    let sea = sea(point);
    if point.y > WATERLINE + 1.0 + 3.0 * (point.x / 17.0).sin() {
        return scale(sea, 1.0 - 0.45 * reflection(point));
    }
    if let Some(ship) = ship(point) {
        return ship;
    }
    if point.y < HORIZON { mix(light(0x4f8fd0), light(0xcfe4f2), ramp(0.0, HORIZON, point.y)) } else { sea }
}

fn sea(point: Point) -> Colour {
    let depth = ramp(HORIZON, 480.0, point.y);
    let wave = (point.y * point.y / 900.0 + 1.3 * (point.x / 23.0 + point.y / 11.0).sin()).sin();
    scale(mix(light(0x3f7fa8), light(0x123f66), depth), 0.97 + 0.11 * wave)
}

/// Returns the strength of the hull's reflection in the water.
fn reflection(point: Point) -> f32 {
    ramp(420.0, WATERLINE, point.y) * ramp(90.0, 130.0, point.x) * ramp(570.0, 540.0, point.x)
}

fn ship(point: Point) -> Option<Colour> {
    if WINDOWS.iter().any(|row| is_window(row, point)) {
        return Some(light(0x24384a));
    }
    let piece = SHIP.iter().rev().find(|piece| piece.shape.holds(point))?;
    Some(scale(light(piece.colour), 0.75 + 0.35 * ramp(560.0, 60.0, point.x)))
}

fn is_window((first, count, height): &(Point, u8, f32), point: Point) -> bool {
    let (x, y) = (point.x - first.x, point.y - first.y);
    let in_row = (0.0..*height).contains(&y) && (0.0..WINDOW_STEP * f32::from(*count)).contains(&x);
    in_row && x % WINDOW_STEP < WINDOW_WIDTH
}
