//! The TCP header: fields, options, and the part of the checksum that it contributes.

use etherparse::err::tcp::HeaderSliceError;
use etherparse::{TcpHeader, TcpHeaderSlice};

use super::checksum::header_sum;
use super::count::{Count, Counters};
use super::ip::Upper;
use super::packet::{Head, TcpFlags};

/// NOP, NOP, timestamps: the options of nearly every segment after the handshake.
const ONLY_TIMESTAMPS: [u8; 4] = [1, 1, 8, 10];

/// Fills `head` from the TCP header and gives the captured payload.
#[inline]
pub(super) fn segment<'a>(upper: Upper<'a>, head: &mut Head, counters: &mut Counters) -> Result<&'a [u8], Count> {
    match TcpHeaderSlice::from_slice(upper.bytes) {
        Ok(header) => {
            let len = header.slice().len();
            let payload_len = upper.declared.checked_sub(len as u32).ok_or(Count::TcpOffsetInvalid)?;
            fields(&header, head, payload_len);
            head.header_sum = if upper.checksum_covers_addresses { header_sum(head, header.slice(), upper.declared) } else { 0 };
            head.no_options = len == TcpHeader::MIN_LEN;
            options(header.options(), head, counters);
            Ok(upper.bytes.get(len..).unwrap_or(&[]))
        }
        Err(HeaderSliceError::Content(_)) => Err(Count::TcpOffsetInvalid),
        Err(HeaderSliceError::Len(_)) => {
            with_cut_options(upper, head, counters)?;
            Ok(&[])
        }
    }
}

/// A header of which the snap length left the first twenty bytes at least.
#[cold]
fn with_cut_options(upper: Upper<'_>, head: &mut Head, counters: &mut Counters) -> Result<(), Count> {
    if (upper.declared as usize) < TcpHeader::MIN_LEN {
        return Err(Count::TcpHeaderShort);
    }
    if upper.bytes.len() < TcpHeader::MIN_LEN {
        return Err(Count::TcpHeaderCut);
    }
    // Zeros stand for what is missing: "end of options".
    let mut padded = [0; TcpHeader::MAX_LEN];
    padded.iter_mut().zip(upper.bytes).for_each(|(to, from)| *to = *from);
    let header = TcpHeaderSlice::from_slice(&padded).map_err(|_| Count::TcpOffsetInvalid)?;
    let payload_len = upper.declared.checked_sub(header.slice().len() as u32).ok_or(Count::TcpOffsetInvalid)?;
    fields(&header, head, payload_len);
    head.header_sum = 0;
    head.no_options = false;
    counters.add(Count::TcpOptionsCut);
    let there = upper.bytes.get(TcpHeader::MIN_LEN..).unwrap_or(&[]);
    // An option that the snap length cut in two is not malformed.
    read_options(there, head);
    Ok(())
}

#[inline]
fn fields(header: &TcpHeaderSlice<'_>, head: &mut Head, payload_len: u32) {
    head.src_port = header.source_port();
    head.dst_port = header.destination_port();
    head.seq = header.sequence_number();
    head.ack = header.acknowledgment_number();
    head.window = header.window_size();
    head.payload_len = payload_len;
    if let Some(&[high, low]) = header.slice().get(12..14).and_then(<[u8]>::first_chunk) {
        head.flags = TcpFlags(u16::from_be_bytes([high, low]) & 0xfff);
    }
}

#[inline]
fn options(bytes: &[u8], head: &mut Head, counters: &mut Counters) {
    if bytes.is_empty() {
        return;
    }
    if let Ok(&[n0, n1, kind, len, v0, v1, v2, v3, e0, e1, e2, e3]) = <&[u8; 12]>::try_from(bytes)
        && [n0, n1, kind, len] == ONLY_TIMESTAMPS
    {
        head.timestamps = Some((u32::from_be_bytes([v0, v1, v2, v3]), u32::from_be_bytes([e0, e1, e2, e3])));
        return;
    }
    if !read_options(bytes, head) {
        counters.add(Count::TcpOptionsMalformed);
    }
}

/// Reads options up to the end or the first malformed one; false when there was one. A loop of our own, because etherparse's
/// iterator ends at the first option it does not know, and MPTCP or fast open may precede one that is wanted.
fn read_options(bytes: &[u8], head: &mut Head) -> bool {
    let mut rest = bytes;
    loop {
        match *rest {
            [] | [0, ..] => return true,
            [1, ..] => rest = rest.get(1..).unwrap_or(&[]),
            [kind, len, ..] if len >= 2 => {
                let Some((option, after)) = rest.split_at_checked(usize::from(len)) else { return false };
                if !read_option(kind, option.get(2..).unwrap_or(&[]), head) {
                    return false;
                }
                rest = after;
            }
            _ => return false,
        }
    }
}

/// False when the value has not the length that its kind has by RFC 9293 or RFC 7323.
fn read_option(kind: u8, value: &[u8], head: &mut Head) -> bool {
    match (kind, value) {
        (2, &[m0, m1]) => head.mss = Some(u16::from_be_bytes([m0, m1])),
        (3, &[shift]) => head.window_scale = Some(shift),
        (4, []) => head.sack_permitted = true,
        (8, &[v0, v1, v2, v3, e0, e1, e2, e3]) => {
            head.timestamps = Some((u32::from_be_bytes([v0, v1, v2, v3]), u32::from_be_bytes([e0, e1, e2, e3])));
        }
        (2 | 3 | 4 | 8, _) => return false,
        _ => {}
    }
    true
}
