//! Dapr components that daprlet carries: state stores, secret stores and bindings.
