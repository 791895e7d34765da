//! Configuration: `/v1.0/configuration`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::Method;

use super::super::CallOptions;
use super::{HttpBackend, read_json};
use crate::Error;
use crate::configuration::{ConfigurationBackend, ConfigurationItem, GET_CONFIGURATION};
use crate::path::ApiPath;

#[async_trait]
impl ConfigurationBackend for HttpBackend {
    async fn get_configuration(
        &self,
        options: &CallOptions,
        store: &str,
        keys: &[&str],
    ) -> Result<BTreeMap<String, ConfigurationItem>, Error> {
        let path = ApiPath::new("/v1.0/configuration").segment(store);
        let path = keys.iter().fold(path, |path, key| path.query("key", key));
        let call = self.build_call(options, GET_CONFIGURATION, Method::GET, &path)?;
        let response = self.send_checked(options, call).await?;
        Ok(read_json(GET_CONFIGURATION, &response)?.unwrap_or_default())
    }
}
