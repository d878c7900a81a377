//! The TCP header: fields, options, and the part of the checksum that it contributes.

use etherparse::err::tcp::HeaderSliceError;
use etherparse::{TcpHeader, TcpHeaderSlice};

use super::Stop;
use super::checksum::header_sum;
use super::count::{Count, Counters};
use super::ip::{Outer, Upper};
use super::packet::{Head, Packet, TcpFlags};

/// NOP, NOP, timestamps: the options of nearly every segment after the handshake.
const ONLY_TIMESTAMPS: [u8; 4] = [1, 1, 8, 10];

/// The options that are kept.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) mss: Option<u16>,
    pub(super) window_scale: Option<u8>,
    pub(super) sack_permitted: bool,
    pub(super) timestamps: Option<(u32, u32)>,
}

/// Reads the TCP header. The error is that of the whole walk, because to turn the result into another would copy the packet.
#[inline]
pub(super) fn segment<'a>(frame: u64, outer: Outer<'a>, upper: Upper<'a>, counters: &mut Counters) -> Result<Packet<'a>, Stop<'a>> {
    let padded;
    let (header, cut) = match TcpHeaderSlice::from_slice(upper.bytes) {
        Ok(header) => (header, false),
        Err(HeaderSliceError::Content(_)) => return Err(Count::TcpOffsetInvalid.into()),
        Err(HeaderSliceError::Len(_)) => {
            padded = pad(upper)?;
            (TcpHeaderSlice::from_slice(&padded).map_err(|_| Count::TcpOffsetInvalid)?, true)
        }
    };
    let bytes = header.slice();
    let payload_len = upper.declared.checked_sub(bytes.len() as u32).ok_or(Count::TcpOffsetInvalid)?;
    let options = if cut {
        counters.add(Count::TcpOptionsCut);
        // Of what is there only: an option that the snap length cut in two is not malformed.
        read_options(upper.bytes.get(TcpHeader::MIN_LEN..).unwrap_or(&[])).0
    } else {
        options(header.options(), counters)
    };
    let sum_known = upper.checksum_covers_addresses && !cut;
    let head = Head {
        frame,
        time: outer.time,
        src: outer.src,
        dst: outer.dst,
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        timestamps: options.timestamps,
        payload_len,
        window: header.window_size(),
        mss: options.mss,
        window_scale: options.window_scale,
        sack_permitted: options.sack_permitted,
        no_options: bytes.len() == TcpHeader::MIN_LEN,
        flags: flags(bytes),
        ttl: outer.ttl,
        ip_id: outer.id,
        flow_label: outer.flow_label,
        df: outer.df,
        ip_version: outer.version,
        header_sum: if sum_known { header_sum(outer.src, outer.dst, bytes, upper.declared) } else { 0 },
        ether: outer.link.source_and_destination(),
        vlans: outer.link.vlans,
        tunnel: outer.link.tunnel,
        wire_len: outer.wire_len,
    };
    Ok(Packet { head, payload: upper.bytes.get(bytes.len()..).unwrap_or(&[]) })
}

/// A header of which the snap length left the first twenty bytes at least; zeros ("end of options") stand for what is missing.
#[cold]
fn pad(upper: Upper<'_>) -> Result<[u8; TcpHeader::MAX_LEN], Count> {
    if (upper.declared as usize) < TcpHeader::MIN_LEN {
        return Err(Count::TcpHeaderShort);
    }
    if upper.bytes.len() < TcpHeader::MIN_LEN {
        return Err(Count::TcpHeaderCut);
    }
    let mut padded = [0; TcpHeader::MAX_LEN];
    padded.iter_mut().zip(upper.bytes).for_each(|(to, from)| *to = *from);
    Ok(padded)
}

#[inline]
fn flags(header: &[u8]) -> TcpFlags {
    match header.get(12..14) {
        Some(&[high, low]) => TcpFlags(u16::from_be_bytes([high, low]) & 0xfff),
        _ => TcpFlags(0),
    }
}

/// The options that are kept, of an options area wholly captured.
#[inline]
pub(super) fn options(bytes: &[u8], counters: &mut Counters) -> Options {
    if bytes.is_empty() {
        return Options::default();
    }
    if let Ok(&[n0, n1, kind, len, v0, v1, v2, v3, e0, e1, e2, e3]) = <&[u8; 12]>::try_from(bytes)
        && [n0, n1, kind, len] == ONLY_TIMESTAMPS
    {
        let timestamps = Some((u32::from_be_bytes([v0, v1, v2, v3]), u32::from_be_bytes([e0, e1, e2, e3])));
        return Options { timestamps, ..Options::default() };
    }
    let (options, well_formed) = read_options(bytes);
    if !well_formed {
        counters.add(Count::TcpOptionsMalformed);
    }
    options
}

/// Reads options up to the end or the first malformed one; false when there was one. A loop of our own, because etherparse's
/// iterator ends at the first option it does not know, and MPTCP or fast open may precede one that is wanted.
fn read_options(bytes: &[u8]) -> (Options, bool) {
    let mut options = Options::default();
    let mut rest = bytes;
    loop {
        match *rest {
            [] | [0, ..] => return (options, true),
            [1, ..] => rest = rest.get(1..).unwrap_or(&[]),
            [kind, len, ..] if len >= 2 => {
                let Some((option, after)) = rest.split_at_checked(usize::from(len)) else { return (options, false) };
                if !options.read(kind, option.get(2..).unwrap_or(&[])) {
                    return (options, false);
                }
                rest = after;
            }
            _ => return (options, false),
        }
    }
}

impl Options {
    /// False when the value has not the length that its kind has by RFC 9293, RFC 2018 or RFC 7323.
    fn read(&mut self, kind: u8, value: &[u8]) -> bool {
        match (kind, value) {
            (2, &[m0, m1]) => self.mss = Some(u16::from_be_bytes([m0, m1])),
            (3, &[shift]) => self.window_scale = Some(shift),
            (4, []) => self.sack_permitted = true,
            (8, &[v0, v1, v2, v3, e0, e1, e2, e3]) => {
                self.timestamps = Some((u32::from_be_bytes([v0, v1, v2, v3]), u32::from_be_bytes([e0, e1, e2, e3])));
            }
            (2 | 3 | 4 | 8, _) => return false,
            _ => {}
        }
        true
    }
}
