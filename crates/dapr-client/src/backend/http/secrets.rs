//! Secrets: `/v1.0/secrets`.

use std::collections::BTreeMap;

use http::Method;

use super::super::CallOptions;
use super::super::operation::SECRET;
use super::{HttpBackend, read_json};
use crate::path::ApiPath;
use crate::{Error, Secret};

pub(super) async fn secret(
    backend: &HttpBackend,
    call_options: &CallOptions,
    store: &str,
    key: &str,
) -> Result<Option<BTreeMap<String, Secret>>, Error> {
    let path = ApiPath::new("/v1.0/secrets").segment(store).segment(key);
    let response =
        backend.send_checked(call_options, backend.build_call(call_options, SECRET, Method::GET, &path)?).await?;
    read_json(SECRET, &response)
}
