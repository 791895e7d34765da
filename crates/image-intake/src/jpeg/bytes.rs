//! A reader of a JPEG's bytes for its decoder.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// A position in a byte slice.
///
/// The decoder reads one or four bytes at a time. Here that is a load; the standard library's readers copy any number
/// of bytes, and in WebAssembly each such copy leaves the compiled code.
pub(super) struct Bytes<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.place..).unwrap_or_default()
    }
}

impl Read for Bytes<'_> {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.rest();
        let count = match (&mut *buffer, rest) {
            ([to], [from, ..]) => {
                *to = *from;
                1
            }
            ([a, b, c, d], [from_a, from_b, from_c, from_d, ..]) => {
                (*a, *b, *c, *d) = (*from_a, *from_b, *from_c, *from_d);
                4
            }
            _ => rest.read(buffer)?,
        };
        self.place += count;
        Ok(count)
    }
}

impl BufRead for Bytes<'_> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.rest())
    }

    fn consume(&mut self, amount: usize) {
        self.place = self.place.saturating_add(amount);
    }
}

impl Seek for Bytes<'_> {
    #[inline]
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |start: usize, offset| start.checked_add_signed(isize::try_from(offset).ok()?);
        let place = match to {
            SeekFrom::Start(place) => usize::try_from(place).ok(),
            SeekFrom::End(offset) => from(self.bytes.len(), offset),
            SeekFrom::Current(offset) => from(self.place, offset),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_return_bytes_at_any_position_up_to_the_end() {
        let all: Vec<u8> = (0..20).collect();
        for (start, wanted) in (0..24).flat_map(|start| (0..8).map(move |wanted| (start, wanted))) {
            let mut bytes = Bytes::new(&all);
            assert_eq!(bytes.seek(SeekFrom::Start(start as u64)).unwrap(), start as u64);
            let mut buffer = [0; 8];
            let count = bytes.read(&mut buffer[..wanted]).unwrap();
            let expected = all.get(start..).unwrap_or_default();
            assert_eq!(&buffer[..count], &expected[..wanted.min(expected.len())], "{wanted} at {start}");
            assert_eq!(bytes.stream_position().unwrap(), (start + count) as u64);
        }
    }

    #[test]
    fn seeking_before_the_start_is_an_error() {
        let mut bytes = Bytes::new(&[1, 2, 3]);
        assert!(bytes.seek(SeekFrom::Current(-1)).is_err());
        assert_eq!(bytes.seek(SeekFrom::End(-1)).unwrap(), 2);
        bytes.consume(usize::MAX);
        assert!(bytes.fill_buf().unwrap().is_empty());
    }
}
