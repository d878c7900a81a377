//! IEEE 802.11 data frames, bare or behind what a monitor interface puts before them, and the subframes of an A-MSDU.

use super::captured::Captured;
use super::count::Count;
use super::link::{self, Link, Next};
use crate::engine::frame::LinkType;

/// A frame as it was in the air.
#[derive(Clone, Copy, Debug)]
pub(super) struct Air<'a> {
    /// From the frame control field on.
    pub(super) frame: Captured<'a>,
    /// The capturing card filled the header up to a multiple of four bytes.
    pub(super) padded: bool,
    /// Access points of one maker send the fields of two bytes in the wrong order.
    pub(super) may_be_swapped: bool,
}

impl<'a> Air<'a> {
    /// A frame as the standard has it.
    pub(super) const fn plain(frame: Captured<'a>) -> Self {
        Self { frame, padded: false, may_be_swapped: false }
    }
}

/// Radiotap: version, padding, length, presence bits (bit 31: more of them), fields. Those wanted are the first two.
pub(super) fn radiotap(all: Captured<'_>) -> Result<Next<'_>, Count> {
    const TIME: u32 = 1;
    const FLAGS: u32 = 2;
    let (&[version, _, l0, l1, p0, p1, p2, p3], _) = all.bytes.split_first_chunk().ok_or(Count::LinkHeaderCut)?;
    if version != 0 {
        return Err(Count::LinkHeaderInvalid);
    }
    let frame = all.after(usize::from(u16::from_le_bytes([l0, l1]))).ok_or(Count::LinkHeaderCut)?;
    let present = u32::from_le_bytes([p0, p1, p2, p3]);
    let (words, _) = all.bytes.get(4..).unwrap_or(&[]).as_chunks::<4>();
    let chained = words.iter().take_while(|word| u32::from_le_bytes(**word) >> 31 == 1).count();
    let fields = chained.saturating_mul(4).saturating_add(8);
    let after_time = if present & TIME == 0 { fields } else { fields.next_multiple_of(8).saturating_add(8) };
    let flags = if present & FLAGS == 0 { 0 } else { all.bytes.get(after_time).copied().unwrap_or(0) };
    let frame = if flags & 0x10 == 0 { frame } else { frame.without_last(4) };
    Ok(Next::Wifi(Air { padded: flags & 0x20 != 0, ..Air::plain(frame) }))
}

/// The Prism header: message, length of all of it in the byte order of the capturing machine. Some drivers write AVS here.
pub(super) fn prism(all: Captured<'_>) -> Result<Next<'_>, Count> {
    let (&[v0, v1, v2, _, length @ ..], _) = all.bytes.split_first_chunk::<8>().ok_or(Count::LinkHeaderCut)?;
    if [v0, v1, v2] == [0x80, 0x21, 0x10] {
        return avs(all);
    }
    let length = u32::from_le_bytes(length).min(u32::from_be_bytes(length));
    bare(all, length)
}

/// The AVS header: version, length of all of it, in network order.
pub(super) fn avs(all: Captured<'_>) -> Result<Next<'_>, Count> {
    let (&[_, _, _, _, length @ ..], _) = all.bytes.split_first_chunk::<8>().ok_or(Count::LinkHeaderCut)?;
    bare(all, u32::from_be_bytes(length))
}

/// The per-packet information header: version, flags, length, link type of what follows.
pub(super) fn ppi(all: Captured<'_>) -> Result<Next<'_>, Count> {
    const PPI: u16 = 192;
    let (&[version, _, l0, l1, k0, k1, k2, k3], _) = all.bytes.split_first_chunk().ok_or(Count::LinkHeaderCut)?;
    let kind = u16::try_from(u32::from_le_bytes([k0, k1, k2, k3])).map_err(|_| Count::LinkHeaderInvalid)?;
    if version != 0 || kind == PPI {
        return Err(Count::LinkHeaderInvalid);
    }
    let rest = all.after(usize::from(u16::from_le_bytes([l0, l1]))).ok_or(Count::LinkHeaderCut)?;
    link::other(LinkType(kind), rest)
}

fn bare(all: Captured<'_>, header: u32) -> Result<Next<'_>, Count> {
    let frame = all.after(header as usize).ok_or(Count::LinkHeaderCut)?;
    Ok(Next::Wifi(Air::plain(frame)))
}

/// Reads the 802.11 header of a data frame.
pub(super) fn step<'a>(air: Air<'a>, link: &mut Link<'a>) -> Result<Next<'a>, Count> {
    let mut rest = air.frame;
    let (&[first, second, ..], _) = rest.bytes.split_first_chunk::<2>().ok_or(Count::LinkHeaderCut)?;
    let is_swapped = air.may_be_swapped && first & 0x0f != 0x08 && second & 0x0f == 0x08;
    let (control, flags) = if is_swapped { (second, first) } else { (first, second) };
    // Version 0, type 2 (data), not one of the subtypes without data.
    if control & 0x4f != 0x08 {
        return Err(Count::WifiOther);
    }
    let (with_quality, is_ordered) = (control & 0x80 != 0, flags & 0x80 != 0);
    let header = rest.take::<24>().ok_or(Count::LinkHeaderCut)?;
    let fourth = if flags & 3 == 3 { Some(rest.take::<6>().ok_or(Count::LinkHeaderCut)?) } else { None };
    let quality = if with_quality { *rest.take::<2>().ok_or(Count::LinkHeaderCut)? } else { [0; 2] };
    if with_quality && is_ordered {
        rest.take::<4>().ok_or(Count::LinkHeaderCut)?;
    }
    if flags & 0x40 != 0 {
        return Err(Count::WifiEncrypted);
    }
    let number = header.get(if is_swapped { 23 } else { 22 }).map_or(0, |sequence| sequence & 0xf);
    if flags & 0x04 != 0 || number != 0 {
        return Err(Count::WifiFragment);
    }
    if air.padded {
        let length = air.frame.bytes.len().saturating_sub(rest.bytes.len());
        rest = rest.after(length.next_multiple_of(4).saturating_sub(length)).ok_or(Count::LinkHeaderCut)?;
    }
    link.ether = ends(header, fourth, flags & 3);
    let [quality, _] = quality;
    Ok(if quality & 0x80 == 0 { Next::Llc(rest) } else { Next::Subframes(rest) })
}

/// Destination and source, by the direction bits (IEEE 802.11 table 9-30).
fn ends<'a>(header: &'a [u8; 24], fourth: Option<&'a [u8; 6]>, direction: u8) -> Option<(&'a [u8; 6], &'a [u8; 6])> {
    let (_, addresses) = header.split_first_chunk::<4>()?;
    let (first, addresses) = addresses.split_first_chunk::<6>()?;
    let (second, addresses) = addresses.split_first_chunk::<6>()?;
    let third = addresses.first_chunk::<6>()?;
    Some(match (direction, fourth) {
        (3, Some(fourth)) => (third, fourth),
        (1, _) => (third, second),
        (2, _) => (first, third),
        _ => (first, second),
    })
}

/// The datagrams of an A-MSDU: destination, source, length, LLC; each filled up to a multiple of four bytes, but for the last.
pub(super) fn subframes<'a>(all: Captured<'a>, link: Link<'a>) -> impl Iterator<Item = (Next<'a>, Link<'a>)> {
    let mut rest = all;
    std::iter::from_fn(move || {
        let destination = rest.take::<6>()?;
        let source = rest.take::<6>()?;
        let length = usize::from(u16::from_be_bytes(*rest.take::<2>()?));
        // Less than an LLC header is a check sequence or padding.
        let mut own = Some(rest).filter(|_| length >= 3)?;
        own.truncate(length);
        let filled = length.saturating_add(14).next_multiple_of(4).saturating_sub(14);
        rest = rest.after(filled).unwrap_or(Captured { bytes: &[], beyond: 0 });
        Some((Next::Llc(own), Link { ether: Some((destination, source)), ..link }))
    })
}
