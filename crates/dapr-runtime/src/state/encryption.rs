//! Encrypts state before it reaches its store: `dapr/pkg/encryption`.
//!
//! A value is stored as `BASE64(nonce, ciphertext and tag)||NAME`, AES-GCM with a key of 16, 24 or 32 bytes in
//! hexadecimal. NAME is that of the secret that the key came from, so that the secondary key still decrypts values from
//! before a rotation.

use std::fmt;

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::aes::Aes192;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dapr_building_blocks::ComponentSpec;

/// Separator between the ciphertext and the name of its key.
const SEPARATOR: &str = "||";

/// Length of a nonce, in bytes.
const NONCE_LENGTH: usize = 12;

const PRIMARY: &str = "primaryEncryptionKey";
const SECONDARY: &str = "secondaryEncryptionKey";

/// An invalid encryption key. The text never shows any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionKeyError {
    /// The text is not hexadecimal, or of another length.
    #[error("property {0}: an encryption key has 16, 24 or 32 bytes, written as hexadecimal digits")]
    Malformed(&'static str),
    /// A secondary key without a primary key.
    #[error("property {SECONDARY}: it is nothing without {PRIMARY}")]
    NoPrimary,
}

/// An error of encryption or decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EncryptionError {
    #[error("the system gives no random numbers")]
    Random,
    #[error("the value cannot be encrypted")]
    Encrypt,
    #[error("encryption key name not found on record")]
    NoKeyName,
    #[error("it was encrypted with a key that the component does not have")]
    UnknownKey,
    #[error("it is damaged, or was encrypted with another key")]
    Decrypt,
}

/// Keys of one store.
#[derive(Debug)]
pub(crate) struct Encryption {
    primary: Key,
    secondary: Option<Key>,
}

impl Encryption {
    /// Reads the keys in a component's properties; `None` without keys, which disables encryption.
    pub(crate) fn from_spec(spec: &ComponentSpec) -> Result<Option<Self>, EncryptionKeyError> {
        let key = |property| Key::from_spec(spec, property);
        match (key(PRIMARY)?, key(SECONDARY)?) {
            (Some(primary), secondary) => Ok(Some(Self { primary, secondary })),
            (None, Some(_)) => Err(EncryptionKeyError::NoPrimary),
            (None, None) => Ok(None),
        }
    }

    /// Encrypts `value` into a record.
    pub(crate) fn encrypt(&self, value: &[u8]) -> Result<Bytes, EncryptionError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| EncryptionError::Random)?;
        let mut sealed = nonce.to_vec();
        sealed.extend(self.primary.cipher.encrypt(&nonce, value).ok_or(EncryptionError::Encrypt)?);
        Ok(format!("{}{SEPARATOR}{}", STANDARD.encode(sealed), self.primary.name).into())
    }

    /// Decrypts a record.
    pub(crate) fn decrypt(&self, record: &[u8]) -> Result<Bytes, EncryptionError> {
        if record.is_empty() {
            return Ok(Bytes::new());
        }
        let record = str::from_utf8(record).map_err(|_| EncryptionError::NoKeyName)?;
        let (sealed, name) = record.rsplit_once(SEPARATOR).ok_or(EncryptionError::NoKeyName)?;
        let sealed = STANDARD.decode(sealed).map_err(|_| EncryptionError::Decrypt)?;
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(EncryptionError::Decrypt)?;
        let mut error = EncryptionError::UnknownKey;
        // Keys written into the YAML have no name, and so both are tried.
        for key in [Some(&self.primary), self.secondary.as_ref()].into_iter().flatten().filter(|key| key.name == name) {
            if let Some(value) = key.cipher.decrypt(nonce, ciphertext) {
                return Ok(value.into());
            }
            error = EncryptionError::Decrypt;
        }
        Err(error)
    }
}

struct Key {
    /// Name of its secret; empty for a key in the YAML.
    name: String,
    cipher: Cipher,
}

impl Key {
    fn from_spec(spec: &ComponentSpec, property: &'static str) -> Result<Option<Self>, EncryptionKeyError> {
        let Some(text) = spec.properties.get_raw(property) else { return Ok(None) };
        let bytes = hex::decode(text).map_err(|_| EncryptionKeyError::Malformed(property))?;
        let cipher = Cipher::new(&bytes).ok_or(EncryptionKeyError::Malformed(property))?;
        let name = spec.secret_names.get(&property.to_ascii_lowercase()).cloned().unwrap_or_default();
        Ok(Some(Self { name, cipher }))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

/// AES-GCM with a key of one of its three lengths.
enum Cipher {
    Aes128(Box<Aes128Gcm>),
    Aes192(Box<AesGcm<Aes192, U12>>),
    Aes256(Box<Aes256Gcm>),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            24 => Self::Aes192(Box::new(AesGcm::new_from_slice(key).ok()?)),
            32 => Self::Aes256(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }

    fn encrypt(&self, nonce: &[u8; NONCE_LENGTH], value: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::from_slice(nonce);
        match self {
            Self::Aes128(cipher) => cipher.encrypt(nonce, value),
            Self::Aes192(cipher) => cipher.encrypt(nonce, value),
            Self::Aes256(cipher) => cipher.encrypt(nonce, value),
        }
        .ok()
    }

    fn decrypt(&self, nonce: &[u8; NONCE_LENGTH], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::from_slice(nonce);
        match self {
            Self::Aes128(cipher) => cipher.decrypt(nonce, ciphertext),
            Self::Aes192(cipher) => cipher.decrypt(nonce, ciphertext),
            Self::Aes256(cipher) => cipher.decrypt(nonce, ciphertext),
        }
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "000102030405060708090a0b0c0d0e0f";
    const NEW: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn spec(keys: &[(&str, &str, &str)]) -> ComponentSpec {
        let mut spec = ComponentSpec::default();
        for (property, key, name) in keys {
            spec.properties.push_plain(*property, *key);
            spec.secret_names.insert(property.to_ascii_lowercase(), (*name).to_owned());
        }
        spec
    }

    fn encryption(keys: &[(&str, &str, &str)]) -> Encryption {
        Encryption::from_spec(&spec(keys)).unwrap().unwrap()
    }

    #[test]
    fn record_has_its_key_name_and_decrypts() {
        for key in [OLD, &NEW[..48], NEW] {
            let keys = encryption(&[(PRIMARY, key, "secret")]);
            let record = keys.encrypt(b"{\"a\":1}").unwrap();
            let text = str::from_utf8(&record).unwrap();
            assert!(text.ends_with("||secret") && !text.contains("{"), "{text}");
            assert_ne!(record, keys.encrypt(b"{\"a\":1}").unwrap());
            assert_eq!(keys.decrypt(&record).unwrap(), "{\"a\":1}");
        }
    }

    #[test]
    fn record_of_another_implementation_decrypts() {
        // AES-128-GCM of `"hello"`, by OpenSSL.
        let record = "ZGVmZ2hpamtsbW5vOAorybdtmjs3YCvp/jcAoftkRkkN59E=||key";
        assert_eq!(encryption(&[(PRIMARY, OLD, "key")]).decrypt(record.as_bytes()).unwrap(), "\"hello\"");
    }

    #[test]
    fn secondary_key_decrypts_records_from_before_rotation() {
        let record = encryption(&[(PRIMARY, OLD, "old")]).encrypt(b"1").unwrap();
        let rotated = encryption(&[(PRIMARY, NEW, "new"), (SECONDARY, OLD, "old")]);
        assert_eq!(rotated.decrypt(&record).unwrap(), "1");
        assert!(rotated.encrypt(b"2").unwrap().ends_with(b"||new"));
        assert_eq!(encryption(&[(PRIMARY, NEW, "new")]).decrypt(&record), Err(EncryptionError::UnknownKey));
        // Keys in the YAML itself have no names.
        let record = encryption(&[(PRIMARY, OLD, "")]).encrypt(b"3").unwrap();
        assert_eq!(encryption(&[(PRIMARY, NEW, ""), (SECONDARY, OLD, "")]).decrypt(&record).unwrap(), "3");
    }

    #[test]
    fn damaged_and_plain_records_are_errors() {
        let keys = encryption(&[(PRIMARY, OLD, "key")]);
        let record = keys.encrypt(b"1").unwrap();
        let damaged = [&b"AAAA"[..], &record[4..]].concat();
        assert_eq!(keys.decrypt(&damaged), Err(EncryptionError::Decrypt));
        assert_eq!(keys.decrypt(b"{}||key"), Err(EncryptionError::Decrypt));
        assert_eq!(keys.decrypt(b"||key"), Err(EncryptionError::Decrypt));
        assert_eq!(keys.decrypt(b"\"plain\""), Err(EncryptionError::NoKeyName));
        assert_eq!(keys.decrypt(b"").unwrap(), "");
    }

    #[test]
    fn invalid_key_is_an_error_that_hides_it() {
        for key in ["secret", "", "00", &"0".repeat(30), &"zz".repeat(16)] {
            let error = Encryption::from_spec(&spec(&[(PRIMARY, key, "k")])).unwrap_err();
            assert_eq!(error, EncryptionKeyError::Malformed(PRIMARY), "{key}");
        }
        assert_eq!(Encryption::from_spec(&spec(&[(SECONDARY, OLD, "k")])).unwrap_err(), EncryptionKeyError::NoPrimary);
        assert!(Encryption::from_spec(&spec(&[])).unwrap().is_none());
        assert!(!format!("{:?}", encryption(&[(PRIMARY, OLD, "k")])).contains("0001"));
    }
}
