//! Listens on an interface for a while: is there traffic, of whom, in both directions, and does any of it get lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::capture::live::{self, LiveError, Sharing};
use crate::capture::{FrameSource, KernelCounters, LiveFrames};
use crate::config::Capture;
use crate::engine::decode::{Decoded, Decoder};
use crate::engine::flow::key::{FlowKey, Sender};
use crate::engine::limits::Limits;

/// Connections that are remembered; more say nothing more.
const MOST_FLOWS: usize = 65_536;
/// Packets of one direction after which the other would have been heard: a connection that nobody answers sends fewer in a few seconds.
const ENOUGH: u32 = 5;
/// How long a wait may take, so that the end is not missed by much.
const TURN: Duration = Duration::from_millis(50);

/// What was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Frames of any kind.
    pub(super) frames: u64,
    /// Frames with an IP header, or ARP.
    pub(super) understood: u64,
    /// TCP connections.
    pub(super) flows: usize,
    /// Those that said enough to be judged by.
    pub(super) judged: usize,
    /// Of these, how many were heard in one direction only.
    pub(super) one_sided: usize,
    /// Whether the traffic was shared out in a way that parts what belongs together.
    pub(super) parted: bool,
    /// The kernel's counters, of all sockets.
    pub(super) kernel: KernelCounters,
}

/// Packets of both directions.
#[derive(Clone, Copy, Debug, Default)]
struct Directions {
    low: u32,
    high: u32,
}

/// What is known of connections.
#[derive(Debug, Default)]
struct Flows(BTreeMap<FlowKey, Directions>);

impl Flows {
    fn note(&mut self, key: FlowKey, sender: Sender) {
        if self.0.len() >= MOST_FLOWS && !self.0.contains_key(&key) {
            return;
        }
        let directions = self.0.entry(key).or_default();
        match sender {
            Sender::Low => directions.low += 1,
            Sender::High => directions.high += 1,
        }
    }

    /// How many said enough, and how many of these are heard in one direction only.
    fn judged(&self) -> (usize, usize) {
        let enough = |directions: &&Directions| directions.low.max(directions.high) >= ENOUGH;
        let judged: Vec<&Directions> = self.0.values().filter(enough).collect();
        let one_sided = judged.iter().filter(|directions| directions.low.min(directions.high) == 0).count();
        (judged.len(), one_sided)
    }
}

/// Listens for `time`, as the sensor would with `capture`.
///
/// # Errors
/// When the interface cannot be watched, or goes away meanwhile.
pub(super) fn listen(interface: &str, capture: &Capture, time: Duration) -> Result<Heard, LiveError> {
    let mut sockets = live::open(interface, capture)?;
    let mut decoder = Decoder::new(&Limits::default());
    let (mut flows, mut heard) = (Flows::default(), Heard::default());
    let end = Instant::now() + time;
    while Instant::now() < end {
        for socket in &mut sockets {
            // A flood must not keep the end from coming.
            while let Some(frame) = (Instant::now() < end).then(|| socket.next_frame()).transpose()?.flatten() {
                heard.frames += 1;
                decoder.decode(&frame, |decoded| {
                    if let Decoded::Tcp(packet) = decoded {
                        let (key, sender) = FlowKey::of(&packet.head);
                        flows.note(key, sender);
                    }
                });
            }
        }
        let turn = TURN.min(end.saturating_duration_since(Instant::now()));
        let share = turn / u32::try_from(sockets.len()).unwrap_or(u32::MAX).max(1);
        sockets.iter_mut().try_for_each(|socket| socket.wait(share))?;
    }
    (heard.judged, heard.one_sided) = flows.judged();
    (heard.flows, heard.understood) = (flows.0.len(), decoder.understood());
    heard.parted = sockets.iter().any(|socket| socket.sharing() == Sharing::ByFlow);
    heard.kernel = sockets.iter_mut().map(LiveFrames::kernel).fold(KernelCounters::default(), KernelCounters::plus);
    Ok(heard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::frame::{Frame, LinkType};
    use crate::engine::time::Timestamp;

    /// The connection of a SYN-ACK between fixed hosts to this port.
    fn connection(port: u8) -> FlowKey {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
        frame.extend([0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 203, 0, 113, 80, 192, 0, 2, 10]);
        frame.extend([0, 80, 0x99, port, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x12, 2, 0, 0, 0, 0, 0]);
        let frame = Frame { number: 1, time: Timestamp::default(), link: LinkType::ETHERNET, bytes: &frame, wire_len: 54 };
        let mut found = None;
        Decoder::new(&Limits::default()).decode(&frame, |decoded| {
            if let Decoded::Tcp(packet) = decoded {
                found = Some(FlowKey::of(&packet.head).0);
            }
        });
        found.unwrap()
    }

    #[test]
    fn connections_that_said_enough_are_judged_by_their_directions() {
        let mut flows = Flows::default();
        for _ in 0..ENOUGH {
            flows.note(connection(1), Sender::Low);
            flows.note(connection(2), Sender::High);
        }
        flows.note(connection(2), Sender::Low);
        flows.note(connection(3), Sender::Low);
        assert_eq!(flows.judged(), (2, 1), "the third has hardly begun");
    }
}
