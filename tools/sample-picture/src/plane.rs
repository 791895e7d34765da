//! Points, shapes and colours of the scenes.

/// Linear light of red, green and blue, each from 0 to 1.
pub(crate) type Colour = [f32; 3];

/// A position in pixels from the upper left corner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) x: f32,
    pub(crate) y: f32,
}

/// A convex polygon, its corners in clockwise order.
pub(crate) struct Shape(pub(crate) &'static [(f32, f32)]);

impl Shape {
    /// Returns true if a point is inside: right of every edge.
    pub(crate) fn holds(&self, point: Point) -> bool {
        let ends = self.0.iter().cycle().skip(1);
        self.0
            .iter()
            .zip(ends)
            .all(|(from, to)| (to.0 - from.0) * (point.y - from.1) >= (to.1 - from.1) * (point.x - from.0))
    }
}

/// Returns the distance of a point from the line through two others.
pub(crate) fn distance(point: Point, from: Point, to: Point) -> f32 {
    let (x, y) = (to.x - from.x, to.y - from.y);
    let share = ((point.x - from.x) * x + (point.y - from.y) * y) / (x * x + y * y);
    let share = share.clamp(0.0, 1.0);
    (point.x - from.x - share * x).hypot(point.y - from.y - share * y)
}

/// Returns true if a point is inside a line with round ends and this radius.
pub(crate) fn capsule(point: Point, from: Point, to: Point, radius: f32) -> bool {
    distance(point, from, to) < radius
}

/// Converts a colour code `0xRRGGBB` to linear light.
pub(crate) fn light(code: u32) -> Colour {
    [16, 8, 0].map(|shift| (((code >> shift) & 0xff) as f32 / 255.0).powf(2.2))
}

/// Blends `a` (at 0) and `b` (at 1).
pub(crate) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    let channel = |a: f32, b: f32| a + (b - a) * share;
    [channel(a[0], b[0]), channel(a[1], b[1]), channel(a[2], b[2])]
}

/// Adds two lights.
pub(crate) fn sum(a: Colour, b: Colour) -> Colour {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Scales the brightness.
pub(crate) fn scale(colour: Colour, factor: f32) -> Colour {
    colour.map(|channel| channel * factor)
}

/// Returns 0 below `from`, 1 above `to`, and a smooth slope in between.
pub(crate) fn ramp(from: f32, to: f32, value: f32) -> f32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}
