//! End-to-end tests of the application in its process.
