//! The scenes, each in its own file.

mod airplane;
mod hot_dog;
mod ship;
mod truck;

use crate::plane::{Colour, Point};

/// Subject of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// A container ship at sea.
    Ship,
    /// An airliner in the sky.
    Airplane,
    /// A truck on a road.
    Truck,
    /// A hot dog on a table: not one of the ten classes of the small model.
    HotDog,
}

impl Scene {
    /// All scenes.
    pub const ALL: [Self; 4] = [Self::Ship, Self::Airplane, Self::Truck, Self::HotDog];

    /// Returns the image's file below `docs/`.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Ship => "sample.jpg",
            Self::Airplane => "examples/airplane.jpg",
            Self::Truck => "examples/truck.jpg",
            Self::HotDog => "examples/hot-dog.jpg",
        }
    }

    /// Returns the light at a point.
    pub(crate) fn colour(self, point: Point) -> Colour {
        match self {
            Self::Ship => ship::colour(point),
            Self::Airplane => airplane::colour(point),
            Self::Truck => truck::colour(point),
            Self::HotDog => hot_dog::colour(point),
        }
    }
}
