//! The keys of a client's first packets, which follow from a connection id that everybody can read (RFC 9001, section 5; RFC 9369, section 3.3).

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;

use super::{ConnectionId, Version};

/// Bytes of the tag that a payload ends with.
const TAG: usize = 16;

/// What a version derives its keys with.
struct Recipe {
    salt: [u8; 20],
    key: &'static [u8],
    iv: &'static [u8],
    hp: &'static [u8],
}

const V1: Recipe = Recipe {
    salt: [0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a],
    key: b"tls13 quic key",
    iv: b"tls13 quic iv",
    hp: b"tls13 quic hp",
};
const V2: Recipe = Recipe {
    salt: [0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9],
    key: b"tls13 quicv2 key",
    iv: b"tls13 quicv2 iv",
    hp: b"tls13 quicv2 hp",
};

/// The client's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    key: [u8; 16],
    iv: [u8; 12],
    hp: [u8; 16],
}

impl Keys {
    /// The client's keys when it addresses the server by this connection id.
    #[must_use]
    pub fn of_client(version: Version, id: &ConnectionId) -> Self {
        let recipe = match version {
            Version::V1 => V1,
            Version::V2 => V2,
        };
        let initial = Hkdf::<Sha256>::new(Some(&recipe.salt), id.as_slice());
        let secret: [u8; 32] = expand(&initial, b"tls13 client in");
        // A secret of 32 bytes is as long as the hash asks for, and the other branch of this is never taken.
        let client = Hkdf::<Sha256>::from_prk(&secret).unwrap_or(initial);
        Self { key: expand(&client, recipe.key), iv: expand(&client, recipe.iv), hp: expand(&client, recipe.hp) }
    }

    /// What hides the low bits of the first byte, and the packet number (RFC 9001, section 5.4.3).
    pub(super) fn mask(&self, sample: &[u8; 16]) -> [u8; 5] {
        let mut block = (*sample).into();
        Aes128::new(&self.hp.into()).encrypt_block(&mut block);
        let [a, b, c, d, e, ..]: [u8; 16] = block.into();
        [a, b, c, d, e]
    }

    /// Opens a payload with its tag in place; none when tag and header do not belong to it.
    pub(super) fn open<'a>(&self, number: u64, header: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let (payload, tag) = sealed.split_last_chunk_mut::<TAG>()?;
        let cipher = Aes128Gcm::new(&self.key.into());
        let opened = cipher.decrypt_inout_detached(&self.nonce(number).into(), header, InOutBuf::from(&mut *payload), &(*tag).into());
        opened.ok().map(|()| &*payload)
    }

    #[cfg(test)]
    pub(super) const fn key(&self) -> [u8; 16] {
        self.key
    }

    /// The packet number over the end of the vector (RFC 9001, section 5.3).
    pub(super) fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()).for_each(|(byte, number)| *byte ^= number);
        nonce
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let [len_high, len_low] = (N as u16).to_be_bytes();
    // Fails only for outputs of more than 8,160 bytes.
    let _ = secret.expand_multi_info(&[&[len_high, len_low, label.len() as u8], label, &[0]], &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_keys_are_those_of_rfc_9001_and_rfc_9369() {
        let id = ConnectionId::new(&ID).unwrap();
        let told = |version| {
            let Keys { key, iv, hp } = Keys::of_client(version, &id);
            [hex(&key), hex(&iv), hex(&hp)]
        };
        assert_eq!(told(Version::V1), ["1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"]);
        assert_eq!(told(Version::V2), ["8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"]);
    }

    #[test]
    fn the_masks_are_those_of_rfc_9001_and_rfc_9369() {
        let id = ConnectionId::new(&ID).unwrap();
        let sample = [0xd1, 0xb1, 0xc9, 0x8d, 0xd7, 0x68, 0x9f, 0xb8, 0xec, 0x11, 0xd2, 0x42, 0xb1, 0x23, 0xdc, 0x9b];
        assert_eq!(hex(&Keys::of_client(Version::V1, &id).mask(&sample)), "437b9aec36");
        let sample = [0xff, 0xe6, 0x7b, 0x6a, 0xbc, 0xdb, 0x42, 0x98, 0xb4, 0x85, 0xdd, 0x04, 0xde, 0x80, 0x60, 0x71];
        assert_eq!(hex(&Keys::of_client(Version::V2, &id).mask(&sample)), "94a0c95e80");
    }
}
