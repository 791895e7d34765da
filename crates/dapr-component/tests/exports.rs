//! Components as their host calls them: through the functions that the macros export.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use dapr_component::contract::output_binding::exports::dapr::components::binding::Guest as _;
use dapr_component::contract::secret_store::exports::dapr::components::secrets::Guest as _;
use dapr_component::contract::state_store::exports::dapr::components::state::Guest as _;
use dapr_component::export::Exports;
use dapr_component::state::{
    Concurrency, Consistency, DeleteRequest, Description, Features, GetRequest, Instances, Item, Options, SetRequest,
};
use dapr_component::{
    InitError, Metadata, OutputBinding, Properties, SecretStore, StateStore, binding, export_output_binding,
    export_secret_store, export_state_store, secrets, state,
};

const OPTIONS: Options = Options { concurrency: Concurrency::Unspecified, consistency: Consistency::Unspecified };

/// A store with only the required methods.
struct Memory {
    values: BTreeMap<String, Vec<u8>>,
    max_keys: usize,
}

export_state_store!(Memory);

impl StateStore for Memory {
    fn init(properties: Properties) -> Result<Self, InitError> {
        Ok(Self { values: BTreeMap::new(), max_keys: properties.int("maxKeys")?.unwrap_or(1) })
    }

    fn describe(&self) -> Description {
        Description { features: Features::empty(), instances: Instances::One, multi_max_size: None }
    }

    fn get(&mut self, request: GetRequest) -> Result<Option<Item>, state::Error> {
        Ok(self.values.get(&request.key).cloned().map(Item::new))
    }

    fn set(&mut self, request: SetRequest) -> Result<(), state::Error> {
        if self.values.len() == self.max_keys {
            return Err(state::Error::other("full"));
        }
        self.values.insert(request.key, request.value);
        Ok(())
    }

    fn delete(&mut self, request: DeleteRequest) -> Result<(), state::Error> {
        self.values.remove(&request.key);
        Ok(())
    }
}

struct Fixed(String);

export_secret_store!(Fixed);

impl SecretStore for Fixed {
    fn init(properties: Properties) -> Result<Self, InitError> {
        Ok(Self(properties.required("value")?.to_owned()))
    }

    fn get(&mut self, name: String, _metadata: Metadata) -> Result<secrets::SecretValues, secrets::Error> {
        Ok(vec![(name, self.0.clone())])
    }

    fn bulk_get(&mut self, _metadata: Metadata) -> Result<Vec<(String, secrets::SecretValues)>, secrets::Error> {
        Err(secrets::Error::other("names are not known"))
    }
}

struct Counter(u32);

export_output_binding!(Counter);

impl OutputBinding for Counter {
    fn init(_properties: Properties) -> Result<Self, InitError> {
        Ok(Self(0))
    }

    fn operations(&self) -> Vec<String> {
        vec!["count".to_owned()]
    }

    fn invoke(&mut self, request: binding::InvokeRequest) -> Result<binding::InvokeResponse, binding::Error> {
        self.0 += 1;
        let data = Some(self.0.to_string().into_bytes());
        Ok(binding::InvokeResponse { data, metadata: request.metadata, content_type: None })
    }
}

fn properties(name: &str, value: &str) -> Metadata {
    vec![(name.to_owned(), value.to_owned())]
}

fn set(key: &str) -> SetRequest {
    let value = key.as_bytes().to_vec();
    let key = key.to_owned();
    SetRequest { key, value, etag: None, metadata: Vec::new(), options: OPTIONS, content_type: None }
}

fn get(key: &str) -> GetRequest {
    GetRequest { key: key.to_owned(), metadata: Vec::new(), consistency: Consistency::Unspecified }
}

fn delete(key: &str) -> DeleteRequest {
    DeleteRequest { key: key.to_owned(), etag: None, metadata: Vec::new(), options: OPTIONS }
}

#[test]
fn bulk_operations_default_to_single_ones() {
    Exports::<Memory>::init(properties("MAXKEYS", "2")).unwrap();
    let set = Exports::<Memory>::bulk_set(vec![set("a"), set("b"), set("c")], 0);
    assert!(matches!(set.as_slice(), [Ok(()), Ok(()), Err(state::Error::Other(why))] if why == "full"));
    assert!(matches!(Exports::<Memory>::bulk_delete(vec![delete("b")], 0).as_slice(), [Ok(())]));
    let found = Exports::<Memory>::bulk_get(vec![get("b"), get("a")], 0);
    assert!(matches!(found.as_slice(), [Ok(None), Ok(Some(item))] if item.value == b"a"), "{found:?}");
}

#[test]
fn transactions_are_unsupported_by_default() {
    Exports::<Memory>::init(Vec::new()).unwrap();
    let error = Exports::<Memory>::transact(Vec::new(), Vec::new()).unwrap_err();
    assert!(matches!(&error, state::Error::Unsupported(what) if what == "transactions"), "{error:?}");
    assert!(Exports::<Memory>::ping().is_ok());
}

#[test]
fn property_error_is_permanent_and_shows_no_value() {
    let error = Exports::<Memory>::init(properties("maxKeys", "hunter2")).unwrap_err();
    let expected = "property \"maxKeys\" must be a whole number in range";
    assert!(matches!(&error, InitError::Misconfigured(why) if why == expected), "{error:?}");
}

#[test]
fn secret_store_and_binding_keep_their_instance() {
    Exports::<Fixed>::init(properties("value", "hunter2")).unwrap();
    assert_eq!(Exports::<Fixed>::get("a".to_owned(), Vec::new()).unwrap(), properties("a", "hunter2"));
    Exports::<Counter>::init(Vec::new()).unwrap();
    let count = || {
        let operation = "count".to_owned();
        Exports::<Counter>::invoke(binding::InvokeRequest { operation, data: Vec::new(), metadata: Vec::new() })
    };
    assert_eq!([count().unwrap().data.unwrap(), count().unwrap().data.unwrap()], [b"1", b"2"]);
}

#[test]
#[should_panic(expected = "called before init succeeded")]
fn call_before_init_traps() {
    let _ = Exports::<Memory>::get(get("a"));
}
