//! Round things under one lamp.

use crate::plane::{Colour, Point, mix, scaled};

/// Where the lamp is, seen from everything: up left, and in front of the picture. Its length is 1.
const LAMP: [f32; 3] = [-0.43, -0.57, 0.70];

/// What a surface looks like.
pub(crate) struct Surface {
    pub(crate) colour: Colour,
    /// How strongly the lamp itself can be seen in it.
    pub(crate) gloss: f32,
    /// How small the lamp looks in it.
    pub(crate) polish: i32,
}

/// A rod with round ends that lies along the x axis around the origin.
pub(crate) struct Rod {
    pub(crate) half_length: f32,
    pub(crate) radius: f32,
}

impl Rod {
    /// How far a point is outside, negative inside.
    pub(crate) fn distance(&self, point: Point) -> f32 {
        let (along, across) = self.offset(point);
        along.hypot(across) - self.radius
    }

    /// The direction in which the surface looks at a point inside.
    pub(crate) fn normal(&self, point: Point) -> [f32; 3] {
        let (along, across) = self.offset(point);
        let (x, y) = (along / self.radius, across / self.radius);
        [x, y, (1.0 - x * x - y * y).max(0.0).sqrt()]
    }

    /// From the nearest point of the rod's axis.
    fn offset(&self, point: Point) -> (f32, f32) {
        (point.x - point.x.clamp(-self.half_length, self.half_length), point.y)
    }
}

impl Surface {
    /// The light that comes from the surface where it looks into that direction, given in the picture's own axes.
    pub(crate) fn lit(&self, normal: [f32; 3]) -> Colour {
        let facing: f32 = normal.iter().zip(LAMP).map(|(a, b)| a * b).sum();
        let shaded = scaled(self.colour, 0.30 + 0.80 * facing.max(0.0));
        // Where the lamp's mirror image is: its direction, mirrored at the normal, points at the viewer.
        let mirrored = (2.0 * facing * normal[2] - LAMP[2]).max(0.0);
        mix(shaded, [1.0; 3], self.gloss * mirrored.powi(self.polish))
    }
}

/// A direction of a turned thing, in the picture's own axes.
pub(crate) fn turned([x, y, z]: [f32; 3], angle: f32) -> [f32; 3] {
    let (sin, cos) = angle.sin_cos();
    [x * cos - y * sin, x * sin + y * cos, z]
}
