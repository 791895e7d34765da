//! The scenes that can be drawn, each in a file of its own.

mod airplane;
mod hot_dog;
mod ship;
mod truck;

use crate::plane::{Colour, Point};

/// Something that a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// A container ship at sea.
    Ship,
    /// An airliner in the sky.
    Airplane,
    /// A truck on a road.
    Truck,
    /// A hot dog on a table: not one of the ten things that the small model knows.
    HotDog,
}

impl Scene {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ship, Self::Airplane, Self::Truck, Self::HotDog];

    /// The picture's file below `docs/`.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Ship => "sample.jpg",
            Self::Airplane => "examples/airplane.jpg",
            Self::Truck => "examples/truck.jpg",
            Self::HotDog => "examples/hot-dog.jpg",
        }
    }

    /// The light at a point.
    pub(crate) fn colour(self, point: Point) -> Colour {
        match self {
            Self::Ship => ship::colour(point),
            Self::Airplane => airplane::colour(point),
            Self::Truck => truck::colour(point),
            Self::HotDog => hot_dog::colour(point),
        }
    }
}
