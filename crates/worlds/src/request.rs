//! Who is asked, and how.

use bytes::Bytes;

/// Who answers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum To {
    /// The Dapr port of the application of that id.
    Dapr(&'static str),
    /// Its Dapr port for gRPC; daprlet has none.
    Grpc(&'static str),
    /// The application itself.
    App(&'static str),
}

/// A request's body.
#[derive(Clone, Debug)]
pub enum Payload {
    /// With its length.
    Whole(Bytes),
    /// In chunks whose sum nobody knows before the end.
    Chunks(Vec<Bytes>),
}

/// Something that happens to a database.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    /// It stands still: connections stay open, and nothing is answered.
    Freeze,
    /// It goes on.
    Thaw,
}
