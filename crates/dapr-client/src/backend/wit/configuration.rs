//! Configuration: the import `dapr:runtime/configuration`.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::CallOptions;
use super::wit::dapr::runtime::configuration as wit;
use super::{WitBackend, convert_error};
use crate::Error;
use crate::configuration::{ConfigurationBackend, ConfigurationItem, GET_CONFIGURATION};

#[async_trait]
impl ConfigurationBackend for WitBackend {
    async fn get_configuration(
        &self,
        options: &CallOptions,
        store: &str,
        keys: &[&str],
    ) -> Result<BTreeMap<String, ConfigurationItem>, Error> {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        let items = wit::get(store, &keys, &[], options.milliseconds());
        let items = items.map_err(|error| convert_error(options, GET_CONFIGURATION, error))?;
        let item = |(key, item): (String, wit::Item)| {
            let metadata = item.metadata.into_iter().collect();
            (key, ConfigurationItem { value: item.value, version: item.version, metadata })
        };
        Ok(items.into_iter().map(item).collect())
    }
}
