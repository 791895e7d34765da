//! `state.in-memory`: state that lasts as long as the process. `components-contrib/state/in-memory/in_memory.go`.
//!
//! One lock over one map: a read holds it for a look-up and two reference counts, so that readers do not contend.

mod steady_clock;
mod table;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use dapr_building_blocks::state::{
    DeleteRequest, GetRequest, Operation, SetRequest, StateFeature, StateFeatures, StateItem, time_to_live,
};
use dapr_building_blocks::{Component, ComponentSpec, Context, InitError, Metadata, StateError, StateStore};
use jiff::Timestamp;

use table::Table;

/// Creates the component, which has no properties.
pub(crate) async fn create(_spec: ComponentSpec, _context: Context) -> Result<Component, InitError> {
    Ok(Component::from_state_store(InMemory::default()))
}

#[derive(Default)]
struct InMemory(RwLock<Table>);

impl InMemory {
    // A panic inside `Table` cannot leave it inconsistent in a way that affects other keys, so poisoning is ignored.
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateStore for InMemory {
    fn features(&self) -> StateFeatures {
        StateFeatures::new(&[StateFeature::Etag, StateFeature::Transactional, StateFeature::Ttl])
    }

    async fn get(&self, request: GetRequest) -> Result<Option<StateItem>, StateError> {
        Ok(self.read().get(&request.key))
    }

    async fn bulk_get(
        &self,
        requests: Vec<GetRequest>,
        _parallelism: usize,
    ) -> Vec<Result<Option<StateItem>, StateError>> {
        let table = self.read();
        requests.iter().map(|request| Ok(table.get(&request.key))).collect()
    }

    async fn set(&self, request: SetRequest) -> Result<(), StateError> {
        self.transact(vec![Operation::Upsert(request)], Metadata::new()).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<(), StateError> {
        self.transact(vec![Operation::Delete(request)], Metadata::new()).await
    }

    async fn transact(&self, operations: Vec<Operation>, _metadata: Metadata) -> Result<(), StateError> {
        let operations = operations.into_iter().map(Prepared::new).collect::<Result<Vec<_>, _>>()?;
        let now = steady_clock::now();
        let mut table = self.write();
        table.drop_expired(now);
        // Dapr checks every etag against the state before the transaction, then applies all.
        for prepared in &operations {
            table.check(&prepared.operation)?;
        }
        for prepared in operations {
            table.apply(prepared.operation, prepared.expires);
        }
        Ok(())
    }
}

/// Operation after all steps that can fail without looking at the table.
struct Prepared {
    operation: Operation,
    expires: Option<Timestamp>,
}

impl Prepared {
    fn new(operation: Operation) -> Result<Self, StateError> {
        let expires = match &operation {
            Operation::Upsert(request) => {
                let ttl = time_to_live(&request.metadata);
                let ttl = ttl.map_err(|why| StateError::InvalidRequest(format!("strconv.Atoi: {why}")))?;
                // A time beyond the calendar means no expiry.
                ttl.duration().map(|ttl| steady_clock::now().checked_add(ttl).unwrap_or(Timestamp::MAX))
            }
            Operation::Delete(_) => None,
        };
        Ok(Self { operation, expires })
    }
}
