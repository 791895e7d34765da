//! Events: recorded at once where the recorder answers in time, later where it does not, and never twice.
//!
//! An event gets its id before the first attempt, and the recorder takes each id once. So it does no harm that an
//! attempt whose answer never came may have succeeded: the event is kept and sent again. What waits is one record in
//! the state store, because Dapr's state cannot list keys. It is emptied when a cron binding calls the service.

mod delivery;
mod event;
mod outbox;
mod recorder;

pub use delivery::{Delivery, EventSink, EventSinkSettings, Round};
pub use event::Event;
