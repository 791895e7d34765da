//! Destinations and bodies of requests.

use bytes::Bytes;

/// Destination of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum To {
    /// Dapr HTTP port of an app id.
    Dapr(&'static str),
    /// Dapr gRPC port of an app id; daprlet has none.
    Grpc(&'static str),
    /// Port of the application itself.
    App(&'static str),
}

/// Body of a request.
#[derive(Clone, Debug)]
pub enum Payload {
    /// With a Content-Length.
    Whole(Bytes),
    /// In chunks, without a known length.
    Chunks(Vec<Bytes>),
}

/// Change to the state of a database.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    /// Stops it: connections stay open, but nothing responds.
    Freeze,
    /// Continues it.
    Thaw,
}
