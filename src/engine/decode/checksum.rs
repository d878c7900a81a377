//! The internet checksum (RFC 1071), as running sums that are folded late.

use super::packet::{Addr, Head};

/// The sum that a correct segment comes to.
pub const RIGHT: u16 = 0xffff;

/// Whether the TCP checksum is right; `None` when that cannot be known, because header or payload were cut by the snap length,
/// or because a source route hides the address that the checksum covers.
#[must_use]
pub fn checksum_ok(head: &Head, payload: &[u8]) -> Option<bool> {
    let whole = u32::try_from(payload.len()) == Ok(head.payload_len);
    (whole && head.header_sum != 0).then(|| add_to_sum(head.header_sum, payload) == RIGHT)
}

/// Adds a piece of payload to a folded sum. Begin with `Head::header_sum`; every piece but the last must be of even length. After
/// the last piece a right checksum has come to [`RIGHT`]. A start of 0 ("cannot be known") stays the caller's to check.
#[must_use]
pub fn add_to_sum(sum: u16, piece: &[u8]) -> u16 {
    let (words, tail) = piece.as_chunks::<4>();
    let mut last = [0; 4];
    last.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
    let native = words.iter().fold(u64::from(u32::from_ne_bytes(last)), add_word);
    fold(u64::from(sum).wrapping_add(u64::from(in_network_order(native))))
}

/// The sum over a TCP header and its pseudo header; `tcp_len` is header and payload.
#[inline]
pub(super) fn header_sum(src: Addr, dst: Addr, header: &[u8], tcp_len: u32) -> u16 {
    const TCP: u64 = 6;
    let (words, _) = header.as_chunks::<4>();
    let native = words.iter().fold(0, add_word);
    // The 0xffff of a mapped IPv4 address is a zero in one's complement.
    let addresses = parts(src.0).wrapping_add(parts(dst.0));
    fold(addresses.wrapping_add(u64::from(in_network_order(native))).wrapping_add(u64::from(tcp_len)).wrapping_add(TCP))
}

/// A frame of less than 2^32 words cannot overflow the sum.
#[inline]
fn add_word(sum: u64, word: &[u8; 4]) -> u64 {
    sum.wrapping_add(u64::from(u32::from_ne_bytes(*word)))
}

#[inline]
fn parts(address: u128) -> u64 {
    let part = |shift: u32| u64::from((address >> shift) as u32);
    part(0).wrapping_add(part(32)).wrapping_add(part(64)).wrapping_add(part(96))
}

/// RFC 1071 section 2 (B): the sum may be taken in any byte order, and its bytes put right at the end.
#[inline]
fn in_network_order(native: u64) -> u16 {
    u16::from_be(fold(native))
}

/// Folds to 16 bits. Never 0 unless `sum` is.
#[inline]
fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    (sum & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 1071 word for word.
    fn by_the_book(start: u16, bytes: &[u8]) -> u16 {
        let mut sum = u32::from(start);
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    proptest! {
        #[test]
        fn sums_as_the_rfc_does(start: u16, bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(add_to_sum(start, &bytes), by_the_book(start, &bytes));
        }

        #[test]
        fn pieces_of_even_length_sum_like_the_whole(start: u16, bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..150) {
            let (first, second) = bytes.split_at((cut * 2).min(bytes.len() & !1));
            prop_assert_eq!(add_to_sum(add_to_sum(start, first), second), add_to_sum(start, &bytes));
        }
    }
}
