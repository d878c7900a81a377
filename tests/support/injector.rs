//! Injectors: third parties that speak in the server's name, and what betrays each.

use super::connection::{Connection, Side};
use super::host::scramble;
use super::segment::{ACK, Checksum, FIN, Opt, PSH, RST, Segment};

/// TTL of a forged packet, as the sensor sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ttl {
    Fixed(u8),
    /// The server's, plus this.
    Like(i8),
}

/// Identification of a forged packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ForgedId {
    Constant(u16),
    /// That of the client's last packet.
    CopyOfClient,
    /// Unpredictable, from this seed.
    Random(u64),
    /// The one that the server will use next.
    NextOfServer,
    /// The one that the server used last.
    LastOfServer,
}

/// One injector.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Injector {
    pub(crate) ttl: Ttl,
    pub(crate) id: ForgedId,
    /// None: like the server.
    pub(crate) df: Option<bool>,
    /// None: like the server.
    pub(crate) window: Option<u16>,
    /// Whether it sends the timestamp option when the server would.
    pub(crate) timestamps: bool,
    /// Flags of the last packet with data; all before it have ACK.
    pub(crate) flags: u16,
    /// Added to TTL and window from packet to packet.
    pub(crate) step: u8,
    /// Payload bytes of one packet.
    pub(crate) size: usize,
}

impl Injector {
    /// A script on a packet library's defaults: IP-ID 1, window 8192, no options, no DF.
    pub(crate) fn quantum() -> Self {
        Self {
            ttl: Ttl::Fixed(64),
            id: ForgedId::Constant(1),
            df: Some(false),
            window: Some(8192),
            timestamps: false,
            flags: PSH | ACK,
            step: 0,
            size: 1400,
        }
    }

    /// The in-path product of the Turkish and Egyptian captures of 2018.
    pub(crate) fn packetlogic(ttl_shift: i8) -> Self {
        Self { ttl: Ttl::Like(ttl_shift), id: ForgedId::Constant(0x3412), window: Some(32_120), flags: FIN | ACK, ..Self::quantum() }
    }

    /// Three packets whose TTL and window grow together, as the Great Cannon's did.
    pub(crate) fn great_cannon() -> Self {
        Self {
            ttl: Ttl::Fixed(201),
            id: ForgedId::Random(0x6c),
            window: Some(767),
            flags: FIN | PSH | ACK,
            step: 1,
            size: 400,
            ..Self::quantum()
        }
    }

    /// A censor's reset: another path, an identification of its own.
    pub(crate) fn censor() -> Self {
        Self { ttl: Ttl::Like(-9), id: ForgedId::Random(0x9f), window: Some(1980), ..Self::quantum() }
    }

    /// Copies TTL, DF, window and timestamps of the server, and has identifications of its own.
    pub(crate) fn careful() -> Self {
        Self { ttl: Ttl::Like(0), id: ForgedId::Random(0xca), df: None, window: None, timestamps: true, ..Self::quantum() }
    }

    /// Copies all: only the bytes differ.
    pub(crate) fn perfect() -> Self {
        Self { id: ForgedId::NextOfServer, ..Self::careful() }
    }

    /// A device that no library knows: random IP-ID, three hops nearer, DF turned over, no timestamps.
    pub(crate) fn unknown_device() -> Self {
        Self { ttl: Ttl::Like(3), id: ForgedId::Random(0x51), window: Some(5840), ..Self::quantum() }
    }

    /// `bytes` at the place in the stream that the client expects next.
    pub(crate) fn segments(&self, tcp: &Connection<'_>, bytes: &[u8]) -> Vec<Segment> {
        let count = bytes.chunks(self.size).count();
        let cut = |(index, part): (usize, &[u8])| {
            let mut segment = self.bare(tcp, if index + 1 == count { self.flags } else { ACK });
            segment.seq = segment.seq.wrapping_add((index * self.size) as u32);
            segment.ttl += self.step * index as u8;
            segment.window += u16::from(self.step) * index as u16;
            match self.id {
                ForgedId::NextOfServer => segment.ip_id = segment.ip_id.wrapping_add(index as u16),
                ForgedId::Random(seed) => segment.ip_id = scramble(seed ^ u64::from(segment.seq)) as u16,
                _ => {}
            }
            segment.payload = part.to_vec();
            segment
        };
        bytes.chunks(self.size).enumerate().map(cut).collect()
    }

    /// A packet without payload.
    pub(crate) fn bare(&self, tcp: &Connection<'_>, flags: u16) -> Segment {
        let seq = tcp.client.heard.unwrap();
        let agreed = tcp.client.host.timestamps.and(tcp.server.host.timestamps).is_some();
        let options: Vec<Opt> =
            if self.timestamps && agreed && flags & RST == 0 { tcp.ts_option(Side::Server).into_iter().collect() } else { Vec::new() };
        Segment {
            src: tcp.server.end,
            dst: tcp.client.end,
            ttl: match self.ttl {
                Ttl::Fixed(ttl) => ttl,
                Ttl::Like(shift) => tcp.server.host.seen_ttl().saturating_add_signed(shift),
            },
            ip_id: match self.id {
                ForgedId::Constant(id) => id,
                ForgedId::CopyOfClient => tcp.client.next_ip_id().wrapping_sub(1),
                ForgedId::Random(seed) => scramble(seed ^ u64::from(seq)) as u16,
                ForgedId::NextOfServer => tcp.server.next_ip_id(),
                ForgedId::LastOfServer => tcp.server.next_ip_id().wrapping_sub(1),
            },
            // Who copies the server's habits copies its label.
            flow_label: if self.window.is_none() { tcp.server.host.flow_label } else { 0 },
            df: self.df.unwrap_or(tcp.server.host.df),
            seq,
            ack: tcp.server.heard.unwrap(),
            flags,
            window: self.window.unwrap_or(tcp.server.host.window),
            options,
            payload: Vec::new(),
            checksum: Checksum::Good,
            trailer: Vec::new(),
        }
    }
}
