//! HTTP connections fed with hostile bytes, and what must hold of them however the bytes were cut.

use crate::script::Script;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::protocol::http::{Connection, Stamp};
use sidewatch::engine::time::Timestamp;

/// Something that happens to a connection.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    Client(&'a [u8]),
    Server(&'a [u8]),
    ClientGap(Option<u32>),
    ServerGap(Option<u32>),
    Close,
}

/// Reads acts from a script.
pub fn acts<'a>(script: &mut Script<'a>) -> Vec<Act<'a>> {
    let mut acts = Vec::new();
    while !script.is_over() && acts.len() < 4096 {
        let verb = script.byte();
        let gap = |script: &mut Script<'_>| (verb & 0x80 == 0).then(|| script.long());
        acts.push(match verb & 7 {
            0..=2 => {
                let len = script.short() & 0x7ff;
                Act::Client(script.take(usize::from(len)))
            }
            3..=5 => {
                let len = script.short() & 0x7ff;
                Act::Server(script.take(usize::from(len)))
            }
            6 if verb & 8 == 0 => Act::ClientGap(gap(script)),
            6 => Act::ServerGap(gap(script)),
            _ => Act::Close,
        });
    }
    acts
}

/// Writes the act for bytes of one side.
pub fn literal(script: &mut Vec<u8>, from_client: bool, bytes: &[u8]) {
    for piece in bytes.chunks(0x7ff) {
        script.push(if from_client { 0 } else { 3 });
        script.extend((piece.len() as u16).to_be_bytes());
        script.extend(piece);
    }
}

/// Runs the acts, each piece of bytes cut into pieces of at most `cut`, and tells the events without the frames that they came in.
pub fn run(acts: &[Act<'_>], cut: usize, limits: &Limits) -> Vec<String> {
    let mut connection = Connection::default();
    let mut events = Vec::new();
    let (mut client, mut server) = (0x1000_u32, 0xffff_f000_u32);
    let at = |seq| Stamp { frame: 1, time: Timestamp::from_nanos(1), seq };
    for act in acts {
        match *act {
            Act::Client(bytes) => {
                for piece in bytes.chunks(cut) {
                    connection.client_bytes(piece, at(client), limits);
                    client = client.wrapping_add(piece.len() as u32);
                }
            }
            Act::Server(bytes) => {
                for piece in bytes.chunks(cut) {
                    connection.server_bytes(piece, at(server), limits, &mut events);
                    server = server.wrapping_add(piece.len() as u32);
                }
            }
            Act::ClientGap(len) => connection.client_gap(len),
            Act::ServerGap(len) => connection.server_gap(len, &mut events),
            Act::Close => connection.server_closed(limits, &mut events),
        }
        assert!(connection.heap_bytes() <= bound(limits), "{} bytes are held", connection.heap_bytes());
    }
    connection.server_closed(limits, &mut events);
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// Two heads, one body, and the requests that wait, twice over for buffers that grew by doubling.
fn bound(limits: &Limits) -> usize {
    2 * (2 * limits.http_head + limits.http_body + limits.http_pipeline * (5 * 2048 + 1024))
}
