//! What follows an EtherType: VLAN and other tags, LLC and SNAP, and the encapsulations that have a type of their own.

use super::Desk;
use super::captured::Captured;
use super::count::Count;
use super::link::{Link, Next};
use super::tunnel::{Opened, overlay};

/// Below this a type field is an 802.3 length (IEEE 802.3 clause 3.2.6; the values between 1501 and 1535 mean nothing).
pub(super) const FIRST_ETHERTYPE: u16 = 0x600;
/// LLC header with the SNAP service points, unnumbered information.
const LLC_SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
/// LLC header with the service points of IP (RFC 948).
const LLC_IP: [u8; 3] = [0x06, 0x06, 0x03];

/// Looks through tags, and goes into what `ethertype` announces.
pub(super) fn step<'a>(
    mut ethertype: u16,
    mut rest: Captured<'a>,
    link: &mut Link<'a>,
    desk: &mut Desk<'a, '_>,
) -> Result<Next<'a>, Count> {
    loop {
        match ethertype {
            0x0800 => return Ok(Next::V4(rest)),
            0x86dd => return Ok(Next::V6(rest)),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                desk.tag()?;
                let &[tci0, tci1, type0, type1] = rest.take::<4>().ok_or(Count::LinkHeaderCut)?;
                // Id 0 is a priority tag (IEEE 802.1Q table 9-2): the frame belongs to no VLAN by it.
                match u16::from_be_bytes([tci0, tci1]) & 0xfff {
                    0 => {}
                    id => link.vlans.push(id),
                }
                ethertype = u16::from_be_bytes([type0, type1]);
            }
            // VN-Tag: its ports are turned round on the way back, so they are no part of the flow.
            0x8926 => {
                desk.tag()?;
                let &[.., type0, type1] = rest.take::<6>().ok_or(Count::LinkHeaderCut)?;
                desk.counters.add(Count::InVnTag);
                ethertype = u16::from_be_bytes([type0, type1]);
            }
            // E-Tag (IEEE 802.1BR): ports likewise.
            0x893f => {
                desk.tag()?;
                let &[.., type0, type1] = rest.take::<8>().ok_or(Count::LinkHeaderCut)?;
                desk.counters.add(Count::InETag);
                ethertype = u16::from_be_bytes([type0, type1]);
            }
            0..FIRST_ETHERTYPE => {
                rest.truncate(usize::from(ethertype));
                return Ok(Next::Llc(rest));
            }
            0x0806 => return Ok(Next::Arp(rest)),
            0x6558 => return Ok(Next::Ethernet(rest)),
            0x8847 | 0x8848 => return Ok(Next::Mpls(rest)),
            0x880b => return Ok(Next::Ppp(rest)),
            0x8864 => return Ok(Next::Pppoe(rest)),
            0x8903 => return desk.open(fabric(rest), link, Count::EthertypeOther),
            0x88e5 => return desk.open(macsec(rest), link, Count::Macsec),
            0x88e7 => return desk.open(backbone(rest), link, Count::EthertypeOther),
            0x894f => return desk.open(overlay::nsh(rest), link, Count::EthertypeOther),
            other => return Err(fate(other)),
        }
    }
}

/// What an LLC header stands for.
pub(super) fn llc(mut rest: Captured<'_>) -> Result<Next<'_>, Count> {
    match *rest.take::<3>().ok_or(Count::LinkHeaderCut)? {
        LLC_IP => Ok(Next::V4(rest)),
        LLC_SNAP => match *rest.take::<5>().ok_or(Count::LinkHeaderCut)? {
            // RFC 1042, and the bridge-tunnel encapsulation of IEEE 802.1H.
            [0, 0, 0 | 0xf8, type0, type1] => match u16::from_be_bytes([type0, type1]) {
                0..FIRST_ETHERTYPE => Err(Count::LlcOther),
                ethertype => Ok(Next::EtherType(ethertype, rest)),
            },
            _ => Err(Count::LlcOther),
        },
        _ => Err(Count::LlcOther),
    }
}

/// MACsec (IEEE 802.1AE) that protects without encrypting: the tag's bits E and C are clear, the last 16 bytes are the check value.
fn macsec(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    const CHECK_VALUE: u32 = 16;
    let &[tci, _, _, _, _, _] = rest.take::<6>()?;
    if tci & 0x8c != 0 {
        return None;
    }
    if tci & 0x20 != 0 {
        rest.take::<8>()?;
    }
    let mut data = rest.without_last(CHECK_VALUE);
    let &[type0, type1] = data.take::<2>()?;
    Some(Opened { kind: Count::InMacsec, id: None, next: Next::EtherType(u16::from_be_bytes([type0, type1]), data) })
}

/// Cisco's FabricPath: a tree and a time to live, then the frame.
fn fabric(rest: Captured<'_>) -> Option<Opened<'_>> {
    Some(Opened { kind: Count::InFabricPath, id: None, next: Next::Ethernet(rest.after(2)?) })
}

/// Provider backbone bridges (IEEE 802.1ah): a service number, then the customer's frame.
fn backbone(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[_, i0, i1, i2] = rest.take::<4>()?;
    Some(Opened { kind: Count::InBackbone, id: Some(u64::from(u32::from_be_bytes([0, i0, i1, i2]))), next: Next::Ethernet(rest) })
}

fn fate(ethertype: u16) -> Count {
    match ethertype {
        0x8863 => Count::Pppoe,
        0x888e => Count::Eapol,
        0x88cc => Count::Lldp,
        _ => Count::EthertypeOther,
    }
}
