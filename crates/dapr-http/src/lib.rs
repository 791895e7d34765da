//! Dapr's HTTP API as a face onto the building blocks.
