//! The description of a service, its response to `GET /`.

use serde::Serialize;

/// Name, purpose and endpoints of a service.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Name of the service, and its Dapr app id.
    pub name: &'static str,
    /// One sentence about the service.
    pub about: &'static str,
    /// The service's own endpoints; `/` and `/healthz` are added.
    pub endpoints: &'static [Endpoint],
}

/// One endpoint of a service.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Endpoint {
    /// Summary.
    pub about: &'static str,
    /// Method.
    pub method: &'static str,
    /// Exact path.
    pub path: &'static str,
}

/// Endpoints that every service has.
const COMMON: [Endpoint; 2] = [
    Endpoint::get("/", "describes this service"),
    Endpoint::get("/healthz", "says whether this service can do its work, and what is missing"),
];

impl Endpoint {
    /// Describes a `GET` endpoint.
    #[must_use]
    pub const fn get(path: &'static str, about: &'static str) -> Self {
        Self { about, method: "GET", path }
    }

    /// Describes a `POST` endpoint.
    #[must_use]
    pub const fn post(path: &'static str, about: &'static str) -> Self {
        Self { about, method: "POST", path }
    }

    /// Describes a `DELETE` endpoint.
    #[must_use]
    pub const fn delete(path: &'static str, about: &'static str) -> Self {
        Self { about, method: "DELETE", path }
    }
}

/// JSON document that describes a service, with the version and the common endpoints.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Document {
    about: &'static str,
    endpoints: Vec<Endpoint>,
    name: &'static str,
    version: &'static str,
}

impl From<Description> for Document {
    fn from(Description { about, endpoints, name }: Description) -> Self {
        let endpoints = COMMON.iter().chain(endpoints).copied().collect();
        Self { about, endpoints, name, version: env!("CARGO_PKG_VERSION") }
    }
}
