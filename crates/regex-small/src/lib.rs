//! Stands in for the `regex` crate, on `regex-lite`.
//!
//! `mysql_common` needs regular expressions for the version of a server and for dates, and there is no way to tell it that the
//! tables and the fast engines of `regex` are not worth their size: with them, a service that speaks MySQL is half as large
//! again. `regex-lite` is by the same authors, has the same syntax but for Unicode classes, and takes time linear in the text,
//! too. It has no `bytes` module; that is here. The root manifest puts this in place with `[patch.crates-io]`.

pub use regex_lite::Regex;

pub mod bytes;
