//! Which packets were sent by the same stack: the headers of one direction, told apart.

use crate::engine::flow::record::Record;

/// Packets farther apart than this in IP ID are not neighbours of one counter (signals.md, S5a).
pub const NEAR_ID: u16 = 1024;
/// A window that changes by more than this factor between two packets is another sender's, or an opening one (signals.md, S6d).
pub const WINDOW_FACTOR: u32 = 4;
/// Most groups that are told apart; a further stack joins the nearest.
const MOST_GROUPS: usize = 8;

/// How little two packets of one direction look like one stack's: 0 or 1 within one, more between two.
/// The timestamps option counts most, because a stack may not leave it out once negotiated (RFC 7323, section 3.2).
#[must_use]
pub fn distance(a: &Record, b: &Record) -> u32 {
    let timestamps = 3 * u32::from(a.has_timestamps() != b.has_timestamps());
    let df = u32::from(a.df() != b.df());
    let ttl = u32::from(a.ttl != b.ttl);
    let id = u32::from(!near_ids(a, b));
    let window = u32::from(window_jumps(a.window, b.window));
    timestamps + df + ttl + id + window
}

/// Near in the counter, or of a stack that sends zero with DF (RFC 6864, section 4.1).
#[must_use]
pub fn near_ids(a: &Record, b: &Record) -> bool {
    a.is_v6() || id_step(a.ip_id, b.ip_id).unsigned_abs() <= NEAR_ID || (a.ip_id == 0 && a.df()) || (b.ip_id == 0 && b.df())
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
    counts && others().any(|other| other.ip_id == record.ip_id && other.seq != record.seq)
}

/// More than `WINDOW_FACTOR` apart. A zero window is flow control, and what a RST carries.
#[must_use]
pub fn window_jumps(a: u16, b: u16) -> bool {
    let (low, high) = (u32::from(a.min(b)), u32::from(a.max(b)));
    low > 0 && high > low * WINDOW_FACTOR
}

/// Groups of packets that look like one stack's each, in order of their first packet. `records` are in order of arrival.
#[must_use]
pub fn group(records: &[Record]) -> Vec<Vec<Record>> {
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in records {
        let far = |members: &Vec<Record>| members.last().map_or(u32::MAX, |last| distance(last, record));
        let full = groups.len() >= MOST_GROUPS;
        match groups.iter_mut().min_by_key(|members| far(members)) {
            Some(nearest) if full || far(nearest) <= 1 => nearest.push(*record),
            _ => groups.push(vec![*record]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decode::packet::TcpFlags;

    fn record(frame: u64, ttl: u8, ip_id: u16, window: u16) -> Record {
        Record { frame, ttl, ip_id, window, flags: TcpFlags(TcpFlags::ACK), ..Record::default() }
    }

    #[test]
    fn one_counter_one_stack() {
        let groups = group(&[record(1, 50, 100, 500), record(2, 50, 101, 501), record(3, 50, 65_000, 900), record(4, 50, 102, 502)]);
        assert_eq!(groups.len(), 1, "an odd identification alone does not make another sender");
    }

    #[test]
    fn an_injector_with_its_own_counter_and_window_stands_apart() {
        let groups = group(&[record(1, 237, 0xa7c9, 4065), record(2, 237, 0x3412, 32_120), record(3, 237, 0xa7ca, 4065)]);
        let frames: Vec<Vec<u64>> = groups.iter().map(|members| members.iter().map(|member| member.frame).collect()).collect();
        assert_eq!(frames, [vec![1, 3], vec![2]]);
    }
}
