//! Configuration.

use dapr_building_blocks::configuration::{ConfigurationRequest, Item};

use crate::DaprWit;
use crate::contract::configuration as wit;
use crate::contract::types::{Error, Metadata, Milliseconds};
use crate::error::within;

impl wit::Host for DaprWit {
    async fn get(
        &mut self,
        store: String,
        keys: Vec<String>,
        metadata: Metadata,
        deadline: Option<Milliseconds>,
    ) -> Result<Vec<(String, wit::Item)>, Error> {
        let request = ConfigurationRequest { keys, metadata: metadata.into_iter().collect() };
        let items = within(deadline, self.sidecar.get_configuration(&store, request)).await?;
        let item = |(key, Item { value, version, metadata }): (String, Item)| {
            (key, wit::Item { value, version, metadata: metadata.into_iter().collect() })
        };
        Ok(items.into_iter().map(item).collect())
    }
}
