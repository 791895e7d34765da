//! An in-memory state store, as a component of the world `dapr:components/state-store`.
//!
//! It implements the whole contract: etags, first-write, time to live, transactions. It matches Dapr's
//! `state.in-memory`, including error messages.
//!
//! One property: `maxBytes`, the most memory for keys and values. A write beyond it is rejected, and nothing is lost.

mod request;
mod table;

use std::time::SystemTime;

use dapr_component::state::{
    DeleteRequest, Description, Error, Features, GetRequest, Instances, Item, Operation, SetRequest,
};
use dapr_component::{InitError, Metadata, Properties, PropertyError, StateStore, export_state_store};

use request::Prepared;
use table::Table;

/// Default limit: more than a typical development state, and less than a host's default memory limit.
const DEFAULT_MAX_BYTES: usize = 64 << 20;

/// The component.
struct StateInMemory(Table);

export_state_store!(StateInMemory);

impl StateStore for StateInMemory {
    fn init(properties: Properties) -> Result<Self, InitError> {
        Ok(Self(Table::new(max_bytes(&properties)?)))
    }

    fn describe(&self) -> Description {
        Description {
            features: Features::ETAG | Features::TRANSACTIONAL | Features::TTL,
            instances: Instances::One,
            multi_max_size: None,
        }
    }

    fn get(&mut self, request: GetRequest) -> Result<Option<Item>, Error> {
        Ok(self.0.get(&request.key, SystemTime::now()))
    }

    fn set(&mut self, request: SetRequest) -> Result<(), Error> {
        self.transact(vec![Operation::Set(request)], Metadata::new())
    }

    fn delete(&mut self, request: DeleteRequest) -> Result<(), Error> {
        self.transact(vec![Operation::Delete(request)], Metadata::new())
    }

    fn transact(&mut self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), Error> {
        let now = SystemTime::now();
        let operations = operations.into_iter().map(|it| Prepared::new(it, now)).collect::<Result<Vec<_>, _>>()?;
        self.0.transact(operations, now)
    }
}

/// Parses `maxBytes`.
fn max_bytes(properties: &Properties) -> Result<usize, PropertyError> {
    let given = properties.parse("maxBytes", "a number of bytes", |text| text.trim().parse().ok())?;
    Ok(given.unwrap_or(DEFAULT_MAX_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_bytes_is_a_number_or_the_default() {
        let parse = |text| max_bytes(&Properties::from_iter([("MAXBYTES", text)])).map_err(|error| error.to_string());
        assert_eq!(parse(" 2 "), Ok(2));
        assert_eq!(parse(""), Ok(DEFAULT_MAX_BYTES));
        assert_eq!(parse("hunter2"), Err("property \"maxBytes\" must be a number of bytes".to_owned()));
    }
}
