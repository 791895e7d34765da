//! Turns pictures gray.
