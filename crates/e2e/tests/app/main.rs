//! The whole application in one process, seen from outside.

mod command_line;
mod dapr_api;
mod events;
mod hostile_guests;
mod lifecycle;
mod pictures;
mod real_pictures;
mod refusals;
mod secrecy;
