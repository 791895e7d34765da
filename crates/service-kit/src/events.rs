//! Event delivery: at once if the recorder responds in time, later if not, and never twice.
//!
//! An event gets its id before the first attempt, and the recorder stores each id once. If an attempt succeeds but its
//! response is lost, the event is kept and sent again without harm. Pending events are one record in the state store,
//! because Dapr's state API cannot list keys. The record is emptied when a cron binding calls the service.

mod delivery;
mod event;
mod outbox;
mod recorder;

pub(crate) use delivery::EVENT_DELIVERY;
pub use delivery::{Delivery, EventDelivery, EventSink, EventSinkSettings, Round};
pub use event::Event;
