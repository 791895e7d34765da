//! Points, distances and colours: the arithmetic that the scene is made of.

/// Light of red, green and blue, each from 0 to 1.
pub(crate) type Colour = [f32; 3];

/// A place in the picture, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl Point {
    /// How far another point is.
    pub(crate) fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The same place seen from `centre` by someone who is turned by `angle`.
    pub(crate) fn seen_from(self, centre: Self, angle: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        let (x, y) = (self.x - centre.x, self.y - centre.y);
        Self { x: x * cos + y * sin, y: y * cos - x * sin }
    }
}

/// A colour as palettes write it, `0xRRGGBB`, as light.
pub(crate) fn light(code: u32) -> Colour {
    [16, 8, 0].map(|shift| (((code >> shift) & 0xff) as f32 / 255.0).powf(2.2))
}

/// `a` at 0, `b` at 1, and both in between.
pub(crate) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    let channel = |a: f32, b: f32| a + (b - a) * share;
    [channel(a[0], b[0]), channel(a[1], b[1]), channel(a[2], b[2])]
}

/// Both lights at once.
pub(crate) fn sum(a: Colour, b: Colour) -> Colour {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Brighter or darker.
pub(crate) fn scaled(colour: Colour, factor: f32) -> Colour {
    colour.map(|channel| channel * factor)
}

/// 0 below `from`, 1 above `to`, and an even slope without corners in between.
pub(crate) fn ramp(from: f32, to: f32, value: f32) -> f32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// Noise from 0 to 1 that is smooth over a distance of 1, and the same on every machine.
pub(crate) fn noise(x: f32, y: f32) -> f32 {
    let (column, row) = (x.floor(), y.floor());
    let (right, down) = (ramp(0.0, 1.0, x - column), ramp(0.0, 1.0, y - row));
    let corner = |dx: i32, dy: i32| hashed(column as i32 + dx, row as i32 + dy);
    let above = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * right;
    let below = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * right;
    above + (below - above) * down
}

fn hashed(x: i32, y: i32) -> f32 {
    let mut bits = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2c1b_3c6d);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297a_2d39);
    (bits >> 16) as f32 / 65_536.0
}
