//! The seam between Dapr's building blocks and the components that implement them.
