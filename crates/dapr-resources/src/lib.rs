//! Reads dapr.yaml, Component and Configuration YAML, and reports every mistake with file and line.

pub mod component;
