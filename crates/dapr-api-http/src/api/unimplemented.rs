//! Endpoints of Dapr that daprlet does not implement yet; they respond with 501.

use dapr_runtime::{ApiError, Body, ErrorCategory};
use http::Response;

use crate::router::{Call, Endpoint, Version};

/// Declares the endpoints below each group of a building block, which is called `name` in errors.
macro_rules! unimplemented_blocks {
    ($($version:ident, [$($group:literal),*], $name:literal;)*) => {
        pub(crate) const ENDPOINTS: &[Endpoint] = &[$($(
            Endpoint::new(&[], Version::$version, concat!($group, "/*"), Some($group), $name, |call| Box::pin(reject(call))),
        )*)*];
    };
}

unimplemented_blocks! {
    V1, ["jobs"], "the jobs API";
    V1Alpha1, ["jobs"], "the jobs API";
    V1, ["actors"], "the actors API";
    V1, ["workflows"], "the workflow API";
    V1Beta1, ["workflows"], "the workflow API";
    V1Alpha1, ["workflows"], "the workflow API";
    V1Alpha1, ["crypto", "subtlecrypto"], "the cryptography API";
    V1Alpha1, ["conversation"], "the conversation API";
    V1Alpha2, ["conversation"], "the conversation API";
}

async fn reject(call: Call<'_>) -> Result<Response<Body>, ApiError> {
    let message = format_args!("daprlet does not implement {} yet", call.endpoint.name);
    Err(ApiError::new(ErrorCategory::Unimplemented, "ERR_NOT_IMPLEMENTED", message))
}
