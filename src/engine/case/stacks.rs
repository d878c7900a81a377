//! Which packets were sent by the same stack: the headers of one direction, told apart.

use crate::engine::decode::packet::TcpFlags;
use crate::engine::flow::record::Record;

/// Packets farther apart than this in IP ID are not neighbours of one counter, even of a busy server's that all its flows share.
pub const NEAR_ID: u16 = 1024;
/// Routes of one server differ by a few hops.
const ROUTE_CHANGE: u8 = 3;
/// A window that changes by more than this factor between two packets is another sender's, or an opening one: the injections in Egypt in 2018
/// had 32,120 where the server had 4,065 (Marczak et al., "Bad Traffic").
pub const WINDOW_FACTOR: u32 = 4;
/// How little two packets of one direction look like one stack's: mostly 0 or 1 within one, more between two.
/// The timestamps option counts most, because a stack may not leave it out once negotiated (RFC 7323, section 3.2).
#[must_use]
pub fn distance(a: &Record, b: &Record) -> u32 {
    let timestamps = 3 * u32::from(a.has_timestamps() != b.has_timestamps());
    let df = u32::from(a.df() != b.df());
    let ttl = u32::from(a.ttl != b.ttl) + u32::from(a.ttl.abs_diff(b.ttl) > ROUTE_CHANGE);
    let id = u32::from(!near_ids(a, b));
    // A SYN-ACK's window is not scaled, the others may be.
    let comparable = a.flags.any(TcpFlags::SYN) == b.flags.any(TcpFlags::SYN);
    let window = u32::from(comparable && window_jumps(a.window, b.window));
    timestamps + df + ttl + id + window
}

/// Near in the counter, or of a stack that sends zero with DF (RFC 6864, section 4.1). Over IPv6, of one flow label.
#[must_use]
pub fn near_ids(a: &Record, b: &Record) -> bool {
    if a.is_v6() {
        return !labels_differ(a, b);
    }
    id_step(a.ip_id, b.ip_id).unsigned_abs() <= NEAR_ID || (a.ip_id == 0 && a.df()) || (b.ip_id == 0 && b.df())
}

/// Two flow labels, where a stack sends one: a SYN-ACK or RST may be sent before or without the connection's state, and with a label of its own (as
/// Linux does).
#[must_use]
pub fn labels_differ(a: &Record, b: &Record) -> bool {
    let stateless = |record: &Record| record.flags.any(TcpFlags::SYN | TcpFlags::RST);
    a.is_v6() && a.flow_label() != b.flow_label() && !stateless(a) && !stateless(b)
}

/// From `a` to `b` on the 16-bit counter.
#[must_use]
pub const fn id_step(a: u16, b: u16) -> i16 {
    b.wrapping_sub(a) as i16
}

/// Carries the identification of another packet, while the server's own packets count up.
#[must_use]
pub fn borrows_id(record: &Record, base: &[Record]) -> bool {
    if record.is_v6() || (record.ip_id == 0 && record.df()) {
        return false;
    }
    let others = || base.iter().filter(|other| other.frame != record.frame);
    let counts = others().zip(others().skip(1)).any(|(a, b)| (1..=64).contains(&id_step(a.ip_id, b.ip_id)));
    counts && others().any(|other| other.ip_id == record.ip_id && (other.seq, other.len) != (record.seq, record.len))
}

/// More than `WINDOW_FACTOR` apart. A zero window is flow control, and what a RST carries.
#[must_use]
pub fn window_jumps(a: u16, b: u16) -> bool {
    let (low, high) = (u32::from(a.min(b)), u32::from(a.max(b)));
    low > 0 && high > low * WINDOW_FACTOR
}

/// Parts one direction's packets into those of the suspect's sender, the suspect first, and the rest. `records` are in order of arrival.
///
/// Whatever came before the suspect, the SYN-ACK, and the other copy of the suspect's bytes are held to be the server's. Each later packet goes to
/// whom it resembles more, to the server in doubt: a suspect whose stack was there all along stands alone.
#[must_use]
pub fn part(records: &[Record], suspect: &Record, servers: &[Record]) -> (Vec<Record>, Vec<Record>) {
    let mut forged = vec![*suspect];
    let mut base: Vec<Record> = records.iter().filter(|record| record.frame < suspect.frame).copied().collect();
    let heard = base.iter().any(|record| !record.flags.any(TcpFlags::SYN));
    let comparable = |server: &&Record| !heard || !server.flags.any(TcpFlags::SYN);
    let certain: Vec<Record> = base.iter().chain(servers.iter().filter(comparable)).copied().collect();
    for record in records.iter().filter(|record| record.frame > suspect.frame) {
        let named = servers.iter().any(|server| server.frame == record.frame);
        let from_server = nearest(record, certain.iter().chain(&base));
        let from_suspect = nearest(record, forged.iter());
        let resembles = match from_server {
            Some(far) => from_suspect.is_some_and(|near| near < far),
            // Nothing of the server was seen yet: what looks exactly like the suspect is its sender's.
            None => from_suspect.is_some_and(|near| near <= 1),
        };
        if !named && (resembles || repeats(record, suspect, records)) { forged.push(*record) } else { base.push(*record) }
    }
    (forged, base)
}

/// Resembles one of `some` more than any of `others`.
#[must_use]
pub fn is_nearer<'a>(record: &Record, some: &[Record], others: impl Iterator<Item = &'a Record>) -> bool {
    let far = nearest(record, others);
    nearest(record, some.iter()).is_some_and(|near| far.is_none_or(|far| near < far))
}

/// The distance to the one of `others` that a record resembles most.
#[must_use]
pub fn nearest<'a>(record: &Record, others: impl Iterator<Item = &'a Record>) -> Option<u32> {
    let mut least = None;
    for other in others {
        let far = distance(other, record);
        if far == 0 {
            return Some(0);
        }
        least = Some(least.map_or(far, |known: u32| known.min(far)));
    }
    least
}

/// Payload sent under the same identification as the suspect, which is also another packet's: whoever forged one forged both.
fn repeats(record: &Record, suspect: &Record, all: &[Record]) -> bool {
    let shares = |a: &Record, b: &Record| a.ip_id == b.ip_id && !a.is_v6() && !(a.ip_id == 0 && a.df());
    let borrowed = all.iter().any(|other| other.frame < suspect.frame && shares(other, suspect) && other.len == 0);
    borrowed && record.len > 0 && shares(record, suspect)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(frame: u64, ttl: u8, ip_id: u16, window: u16) -> Record {
        Record { frame, ttl, ip_id, window, flags: TcpFlags(TcpFlags::ACK), ..Record::default() }
    }

    fn frames(records: &[Record]) -> Vec<u64> {
        records.iter().map(|record| record.frame).collect()
    }

    #[test]
    fn a_suspect_that_only_counts_oddly_stands_alone() {
        let all = [record(1, 50, 100, 500), record(2, 50, 65_000, 500), record(3, 50, 101, 501), record(4, 50, 102, 502)];
        let (forged, base) = part(&all, &all[1], &[]);
        assert_eq!((frames(&forged), frames(&base)), (vec![2], vec![1, 3, 4]));
    }

    #[test]
    fn an_injector_keeps_its_closing_packets() {
        let all =
            [record(1, 237, 0xa7c9, 4065), record(2, 237, 0x3412, 32_120), record(3, 237, 0x3412, 32_120), record(4, 237, 0xa7ca, 4065)];
        let (forged, base) = part(&all, &all[1], &[]);
        assert_eq!((frames(&forged), frames(&base)), (vec![2, 3], vec![1, 4]));
    }

    #[test]
    fn a_burst_whose_ttl_and_window_climb_is_one_senders() {
        let syn_ack = record(1, 47, 0, 14_600);
        let all = [record(3, 201, 1, 767), record(4, 202, 2, 768), record(5, 203, 3, 769), record(6, 44, 9_000, 14_600)];
        let (forged, base) = part(&all, &all[0], &[syn_ack, all[3]]);
        assert_eq!((frames(&forged), frames(&base)), (vec![3, 4, 5], vec![6]));
    }
}
