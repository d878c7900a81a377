//! The few header fields that the pump itself looks at, before anything is decoded. What cannot be read at once is left alone.

use crate::engine::frame::{Frame, LinkType};

/// VLAN tags that are passed over.
const MOST_TAGS: usize = 3;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carried<'a> {
    Tcp { ports: (u16, u16), flags: u8, payload: &'a [u8] },
    Udp { ports: (u16, u16), payload: &'a [u8] },
}

pub(super) const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// Looks into a frame; none where it is neither TCP nor UDP over IP without tunnel, or is a fragment.
#[inline]
pub(super) fn look<'a>(frame: &Frame<'a>) -> Option<Carried<'a>> {
    let bytes = frame.bytes;
    let ip = match frame.link {
        LinkType::ETHERNET => {
            let mut rest = bytes.get(12..)?;
            for _ in 0..MOST_TAGS {
                match word(rest, 0)? {
                    0x8100 | 0x88a8 => rest = rest.get(4..)?,
                    _ => break,
                }
            }
            matches!(word(rest, 0)?, 0x0800 | 0x86dd).then(|| rest.get(2..))??
        }
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => bytes,
        LinkType::LINUX_SLL => bytes.get(16..)?,
        LinkType::LINUX_SLL2 => bytes.get(20..)?,
        _ => return None,
    };
    let (protocol, segment) = match ip.first()? >> 4 {
        4 => {
            let header = usize::from(ip.first()? & 15) * 4;
            let is_fragment = word(ip, 6)? & 0x3fff != 0;
            let length = usize::from(word(ip, 2)?);
            let packet = ip.get(..length).unwrap_or(ip);
            (*ip.get(9)?, if is_fragment { return None } else { packet.get(header..)? })
        }
        6 => {
            let length = 40 + usize::from(word(ip, 4)?);
            (*ip.get(6)?, ip.get(..length).unwrap_or(ip).get(40..)?)
        }
        _ => return None,
    };
    let ports = (word(segment, 0)?, word(segment, 2)?);
    match protocol {
        TCP => {
            let header = usize::from(segment.get(12)? >> 4) * 4;
            Some(Carried::Tcp { ports, flags: *segment.get(13)?, payload: segment.get(header..)? })
        }
        UDP => Some(Carried::Udp { ports, payload: segment.get(8..)? }),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|word| u16::from_be_bytes(*word))
}
