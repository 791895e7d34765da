//! Endpoints of Dapr that daprlet does not implement yet; they respond with 501.

use dapr_runtime::{ApiError, Body, ErrorCategory};
use http::Response;

use crate::router::{Audience, Call, Endpoint};

/// Declares the endpoints below each group of a building block, which is called `name` in errors.
macro_rules! unimplemented_blocks {
    ($($version:literal, [$($group:literal),*], $name:literal;)*) => {
        pub(crate) const ENDPOINTS: &[Endpoint] = &[$($(Endpoint {
            methods: &[],
            version: $version,
            route: concat!($group, "/*"),
            group: Some($group),
            name: $name,
            audience: Audience::App,
            handler: |call| Box::pin(reject(call)),
        },)*)*];
    };
}

unimplemented_blocks! {
    "v1.0", ["publish"], "pub/sub";
    "v1.0-alpha1", ["publish"], "pub/sub";
    "v1.0", ["configuration"], "the configuration API";
    "v1.0-alpha1", ["configuration"], "the configuration API";
    "v1.0", ["jobs"], "the jobs API";
    "v1.0-alpha1", ["jobs"], "the jobs API";
    "v1.0", ["actors"], "the actors API";
    "v1.0", ["workflows"], "the workflow API";
    "v1.0-beta1", ["workflows"], "the workflow API";
    "v1.0-alpha1", ["workflows"], "the workflow API";
    "v1.0-alpha1", ["crypto", "subtlecrypto"], "the cryptography API";
    "v1.0-alpha1", ["conversation"], "the conversation API";
    "v1.0-alpha2", ["conversation"], "the conversation API";
}

async fn reject(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let message = format_args!("daprlet does not implement {} yet", call.endpoint.name);
    Err(ApiError::new(ErrorCategory::Unimplemented, "ERR_NOT_IMPLEMENTED", message))
}
