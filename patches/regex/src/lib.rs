//! A replacement of the `regex` crate, based on `regex-lite`.
//!
//! `mysql_common` needs regular expressions for a server's version and for dates, and has no option to leave out the
//! tables and the fast engines of `regex`: with them, a service that uses MySQL is half as large again. `regex-lite` is
//! by the same authors, has the same syntax except for Unicode classes, and also takes linear time. It has no `bytes`
//! module; that is here. The root manifest installs this crate with `[patch.crates-io]`.

pub use regex_lite::Regex;

pub mod bytes;
