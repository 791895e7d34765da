//! A truck with a box body on a road, driving to the right.

use crate::plane::{Colour, Point, Shape, light, mix, ramp, scale};

const BOX: Shape = Shape(&[(70.0, 120.0), (400.0, 120.0), (400.0, 330.0), (70.0, 330.0)]);
const CAB: Shape = Shape(&[(412.0, 176.0), (510.0, 176.0), (560.0, 256.0), (568.0, 346.0), (412.0, 346.0)]);
const WINDOW: Shape = Shape(&[(440.0, 192.0), (502.0, 192.0), (536.0, 254.0), (440.0, 254.0)]);
const FRAME: Shape = Shape(&[(70.0, 330.0), (568.0, 330.0), (568.0, 362.0), (70.0, 362.0)]);
const LAMP: Shape = Shape(&[(548.0, 300.0), (566.0, 300.0), (566.0, 318.0), (548.0, 318.0)]);
const WHEELS: [Point; 3] = [Point { x: 140.0, y: 362.0 }, Point { x: 226.0, y: 362.0 }, Point { x: 488.0, y: 362.0 }];
const WHEEL: f32 = 40.0;
const HORIZON: f32 = 300.0;
const ROAD: f32 = 376.0;

/// Returns the light at a point.
pub(super) fn colour(point: Point) -> Colour {
    for middle in WHEELS {
        let away = (point.x - middle.x).hypot(point.y - middle.y);
        if away < WHEEL {
            return light(if away < WHEEL * 0.45 { 0xb4b8bb } else { 0x1c1d1f });
        }
    }
    if LAMP.holds(point) {
        return light(0xfff2c0);
    }
    if WINDOW.holds(point) {
        return mix(light(0x9fc3dc), light(0x33485a), ramp(192.0, 254.0, point.y));
    }
    if CAB.holds(point) {
        return scale(light(0xc23a2b), 0.75 + 0.3 * ramp(346.0, 180.0, point.y));
    }
    if BOX.holds(point) {
        let seam = point.x % 66.0 < 2.0;
        return scale(light(0xeceae4), if seam { 0.7 } else { 0.8 + 0.25 * ramp(330.0, 120.0, point.y) });
    }
    if FRAME.holds(point) { light(0x2a2c30) } else { ground(point) }
}

fn ground(point: Point) -> Colour {
    let shadow = 1.0 - 0.5 * ramp(420.0, 398.0, point.y) * ramp(50.0, 90.0, point.x) * ramp(600.0, 560.0, point.x);
    if point.y > ROAD {
        let line = (446.0..454.0).contains(&point.y) && point.x % 130.0 < 76.0;
        return if line {
            light(0xe6e2d2)
        } else {
            scale(light(0x6b6d70), shadow * (0.9 + 0.1 * (point.x / 3.0).sin()))
        };
    }
    let hill = HORIZON - 28.0 * (point.x / 150.0).sin() - 12.0 * (point.x / 47.0).sin();
    if point.y > hill {
        return mix(light(0x6f9a4e), light(0x4c7a38), ramp(hill, ROAD, point.y));
    }
    mix(light(0x6fa8dc), light(0xdcebf5), ramp(0.0, HORIZON, point.y))
}
