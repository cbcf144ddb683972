//! Hashes of public keys, as hex or as addresses.

use std::fmt;
use std::str::FromStr;

use bitcoin::base58;
use bitcoin::hashes::{Hash, hash160};
use bitcoin::hex::{DisplayHex, FromHex};

/// HASH160 of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 20]);

/// Bytes in front of a hash in an address, on the main network and on test networks.
const PUBLIC_KEY_VERSIONS: [u8; 2] = [0x00, 0x6f];
/// The same of addresses that pay to the hash of a script.
const SCRIPT_VERSIONS: [u8; 2] = [0x05, 0xc4];

impl KeyHash {
    /// The hash of a public key.
    pub fn of(public_key: &[u8]) -> Self {
        KeyHash(hash160::Hash::hash(public_key).to_byte_array())
    }
}

impl FromStr for KeyHash {
    type Err = String;

    /// Reads 40 hex digits, or an address (1..., on test networks m... or n...).
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(bytes) = Vec::<u8>::from_hex(text) {
            return of_hex(&bytes);
        }
        if text.contains(':') || text.starts_with("bc1") || text.starts_with("tb1") {
            return Err(format!(
                "`{text}` is an address of another chain's kind: give one that begins with 1 (m or n on test networks)"
            ));
        }
        let bytes = base58::decode_check(text)
            .map_err(|error| format!("`{text}` is neither 40 hex digits nor an address: {error}"))?;
        match bytes.split_first() {
            Some((version, hash)) if PUBLIC_KEY_VERSIONS.contains(version) => {
                hash.try_into().map(KeyHash).map_err(|_| format!("`{text}` holds {} bytes, not 20", hash.len()))
            }
            Some((version, _)) if SCRIPT_VERSIONS.contains(version) => Err(format!(
                "`{text}` pays to the hash of a script, which nobody can spend since Genesis: give a key's"
            )),
            _ => Err(format!("`{text}` is no address of a public key (that of a private key?)")),
        }
    }
}

fn of_hex(bytes: &[u8]) -> Result<KeyHash, String> {
    match bytes.len() {
        20 => Ok(KeyHash(bytes.try_into().expect("twenty bytes"))),
        33 | 65 => Err(format!("that is a public key: give its hash, {}", KeyHash::of(bytes))),
        32 => {
            Err("that is as long as a private key, which nobody should be told: give the hash of its public key".into())
        }
        len => Err(format!("a public key's hash has 20 bytes, not {len}")),
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the key with the number 1, as wallets show it.
    const HASH: &str = "751e76e8199196d454941c45d1b3a323f1433bd6";

    #[test]
    fn hashes_and_addresses_are_read() {
        for text in [HASH, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r"] {
            assert_eq!(text.parse::<KeyHash>().unwrap().to_string(), HASH, "{text}");
        }
    }

    #[test]
    fn what_is_no_key_hash_is_refused_in_words() {
        let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        for (text, says) in [
            (key, HASH),
            (&key[2..], "private key"),
            ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "hash of a script"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "another chain"),
            ("bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "another chain"),
            ("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMJ", "neither"),
            ("KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn", "private key"),
            ("ab", "20 bytes, not 1"),
            ("", "20 bytes, not 0"),
        ] {
            let refusal = text.parse::<KeyHash>().unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
    }
}
