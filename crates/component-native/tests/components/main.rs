//! Components as a host uses them: created by the registry from a spec.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking, and say what they skip")]

mod broker_conformance;
mod broker_jetstream;
mod broker_mqtt3;
mod broker_rabbitmq;
mod broker_redis;
mod brokers;
mod configuration;
mod durability;
mod harness;
mod hostile_sql;
mod mysql;
mod redis;
mod registry;
