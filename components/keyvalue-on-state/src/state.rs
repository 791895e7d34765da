//! The underlying state store.

use std::cell::RefCell;

use crate::bindings::dapr::components::state::{
    self, Concurrency, Consistency, DeleteRequest, Error as StateError, GetRequest, InitError, Item, Options,
    SetRequest,
};
use crate::bindings::exports::wasi::keyvalue::store::Error;

/// Prefix of environment variables that are properties of the store.
const PREFIX: &str = "STATE_";

/// Most attempts to write a record that others write at the same time.
const MAX_ATTEMPTS: u32 = 64;

/// An etag that no record has. Redis counts from 1, and accepts only numbers.
const UNUSED_ETAG: &str = "-1";

thread_local! {
    static READY: RefCell<Option<Result<(), String>>> = const { RefCell::new(None) };
}

/// Initialises the store once.
pub(crate) fn ready() -> Result<(), Error> {
    let outcome = READY.with_borrow_mut(|ready| ready.get_or_insert_with(initialise).clone());
    outcome.map_err(Error::Other)
}

fn initialise() -> Result<(), String> {
    let properties: Vec<(String, String)> =
        std::env::vars().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value))).collect();
    state::init(&properties).map_err(|error| match error {
        InitError::Misconfigured(why) => format!("the store refuses its properties: {why}"),
        InitError::Unavailable(why) => format!("the store is not available now: {why}"),
    })
}

/// Reads the record of a key.
pub(crate) fn read(key: &str) -> Result<Option<Item>, Error> {
    let request = GetRequest { key: key.to_owned(), metadata: Vec::new(), consistency: Consistency::Strong };
    state::get(&request).map_err(convert_error)
}

/// Writes a record unconditionally.
pub(crate) fn write(key: &str, value: Vec<u8>) -> Result<(), Error> {
    state::set(&set_request(key, value, None, Concurrency::LastWrite)).map_err(convert_error)
}

/// Writes a record if it is unchanged since `read`; `None` means that it did not exist. Returns true if it was written.
pub(crate) fn write_after(read: Option<&Item>, key: &str, value: Vec<u8>) -> Result<bool, Error> {
    if let Some(item) = read {
        return is_written(&set_request(key, value, item.etag.clone(), Concurrency::Unspecified));
    }
    // Redis only compares a first write with other first writes: it would overwrite other values, and then block them.
    // With an etag it still writes if there is no record. Other stores reject that, and implement first writes.
    let by_etag = set_request(key, value.clone(), Some(UNUSED_ETAG.to_owned()), Concurrency::Unspecified);
    if is_written(&by_etag)? {
        return Ok(true);
    }
    if self::read(key)?.is_some() {
        return Ok(false);
    }
    is_written(&set_request(key, value, None, Concurrency::FirstWrite))
}

fn is_written(request: &SetRequest) -> Result<bool, Error> {
    match state::set(request) {
        Ok(()) => Ok(true),
        Err(StateError::EtagMismatch(_) | StateError::InvalidEtag(_)) => Ok(false),
        Err(error) => Err(convert_error(error)),
    }
}

/// Reads, changes and writes a record, and retries on concurrent writes; `None` leaves it unchanged.
pub(crate) fn change(
    key: &str,
    mut change: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, Error>,
) -> Result<(), Error> {
    for _ in 0..MAX_ATTEMPTS {
        let found = read(key)?;
        let Some(value) = change(found.as_ref().map(|item| item.value.as_slice()))? else { return Ok(()) };
        if write_after(found.as_ref(), key, value)? {
            return Ok(());
        }
    }
    Err(Error::Other(format!("others wrote {key} {MAX_ATTEMPTS} times first")))
}

/// Deletes a record if it exists.
pub(crate) fn delete(key: &str) -> Result<(), Error> {
    let options = Options { concurrency: Concurrency::LastWrite, consistency: Consistency::Strong };
    let request = DeleteRequest { key: key.to_owned(), etag: None, metadata: Vec::new(), options };
    state::delete(&request).map_err(convert_error)
}

fn set_request(key: &str, value: Vec<u8>, etag: Option<String>, concurrency: Concurrency) -> SetRequest {
    let options = Options { concurrency, consistency: Consistency::Strong };
    SetRequest { key: key.to_owned(), value, etag, metadata: Vec::new(), options, content_type: None }
}

fn convert_error(error: StateError) -> Error {
    Error::Other(match error {
        StateError::EtagMismatch(why) => why.unwrap_or_else(|| "the record has changed".to_owned()),
        StateError::Unsupported(what) => format!("the store does not support {what}"),
        StateError::InvalidEtag(why)
        | StateError::InvalidRequest(why)
        | StateError::Unavailable(why)
        | StateError::Other(why) => why,
    })
}
