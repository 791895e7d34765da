//! Configuration: `/v1.0/configuration`.

use crate::DaprOverHttp;
use crate::bindings::exports::dapr::runtime::configuration;
use crate::client::ask;
use crate::error::Error;

impl configuration::Guest for DaprOverHttp {
    fn get(
        store: String,
        keys: Vec<String>,
        _: Vec<(String, String)>,
        deadline: Option<u32>,
    ) -> Result<Vec<(String, configuration::Item)>, Error> {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let items = ask(deadline, async |dapr| dapr.configuration(&store).get(&keys).await)?;
        let item = |(key, item): (String, dapr_client::configuration::ConfigurationItem)| {
            let metadata = item.metadata.into_iter().collect();
            (key, configuration::Item { value: item.value, version: item.version, metadata })
        };
        Ok(items.into_iter().map(item).collect())
    }
}
