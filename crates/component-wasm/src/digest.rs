//! SHA-256 of a module, in hexadecimal.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// An error for text that is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SHA-256: write 64 hexadecimal digits")]
pub struct DigestError(String);

impl Digest {
    /// Computes the digest of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bad = || DigestError(text.to_owned());
        let digits = text.trim();
        let digits = digits.strip_prefix("sha256:").unwrap_or(digits).as_bytes();
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return Err(bad());
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            // `from_str_radix` would accept a sign as well.
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|it| it.is_ascii_hexdigit()));
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(bad)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_digest_parses_in_any_case() {
        let digest = Digest::new(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        assert_eq!(format!(" sha256:{digest}\n").parse(), Ok(digest));
    }

    #[test]
    fn invalid_digest_is_an_error() {
        for wrong in ["", "abc", &"+1".repeat(32), &"0g".repeat(32), &"00".repeat(33), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Digest>(), Err(DigestError(wrong.to_owned())), "{wrong}");
        }
    }
}
