//! A replacement of the `zstd` crate that cannot decompress.
//!
//! `mysql_common` uses zstd only for compressed transactions in MySQL's replication log, which no service here reads.
//! The real crate compiles C with clang; this one keeps "Rust and a C linker" the only prerequisite. The root manifest
//! installs it with `[patch.crates-io]`; dependents of other zstd versions still get the real one.

use std::io::{self, BufRead, Read, Write};
use std::marker::PhantomData;

/// A decoder that cannot be created.
#[derive(Debug)]
pub struct Decoder<'a, R> {
    never: std::convert::Infallible,
    reader: PhantomData<(&'a (), R)>,
}

impl<R: BufRead> Decoder<'_, R> {
    /// Returns an error.
    ///
    /// # Errors
    /// Always.
    pub fn with_buffer(_reader: R) -> io::Result<Self> {
        Err(refusal())
    }
}

impl<R: BufRead> Read for Decoder<'_, R> {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        match self.never {}
    }
}

/// The functions of `zstd::stream` that `mysql_common` uses.
pub mod stream {
    use super::{Read, Write, io, refusal};

    /// Returns an error.
    ///
    /// # Errors
    /// Always.
    pub fn copy_decode<R: Read, W: Write>(_source: R, _destination: W) -> io::Result<()> {
        Err(refusal())
    }
}

fn refusal() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "zstd is left out of this build")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decompression_is_unsupported() {
        let error = stream::copy_decode(&b"anything"[..], Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
        assert_eq!(Decoder::with_buffer(&b""[..]).unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}
