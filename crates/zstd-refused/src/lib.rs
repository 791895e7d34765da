//! Stands in for the `zstd` crate and refuses to decompress.
//!
//! `mysql_common` names zstd for one thing, compressed transactions in MySQL's replication log, which no service here
//! reads. The real crate compiles C with clang; this one keeps "Rust and a C linker" the only prerequisite. The root
//! manifest puts it in place with `[patch.crates-io]`; any dependant of another zstd version still gets the real one.

use std::io::{self, BufRead, Read, Write};
use std::marker::PhantomData;

/// A decoder that cannot be made.
#[derive(Debug)]
pub struct Decoder<'a, R> {
    never: std::convert::Infallible,
    reader: PhantomData<(&'a (), R)>,
}

impl<R: BufRead> Decoder<'_, R> {
    /// Refuses.
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

/// What `zstd::stream` offers to `mysql_common`.
pub mod stream {
    use super::{Read, Write, io, refusal};

    /// Refuses.
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
    fn decompression_is_refused_as_unsupported() {
        let error = stream::copy_decode(&b"anything"[..], Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
        assert_eq!(Decoder::with_buffer(&b""[..]).unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}
