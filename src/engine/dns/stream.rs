//! DNS over TCP: where in one direction of a connection each message begins and ends (RFC 7766, section 8).

/// Bytes that a message is read of: the records that answers are compared by stand in front, and the longest messages belong to transfers of zones.
pub const LONGEST_READ: usize = 4 << 10;
/// Bytes of the length in front of each message, and of a message's header.
const LENGTH: u32 = 2;
const HEADER: usize = 12;

/// How far the messages of one direction are told apart. It holds no bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Framing {
    place: Place,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// No byte was seen.
    #[default]
    Start,
    /// The message whose length stands at `frame` is not read yet; all up to `reached` is here, and nothing can be read before `until`.
    At { frame: u32, reached: u32, until: u32 },
    /// Where messages begin is no longer known.
    Lost,
}

/// The next bytes of a direction.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    /// Sequence number of the first.
    pub seq: u32,
    /// Those captured.
    pub captured: &'a [u8],
    /// How many there were on the wire.
    pub wire: u32,
}

impl Framing {
    /// Takes the next bytes and hands on each message that they complete, without its length. `gather` gives up to so many bytes from a sequence
    /// number on, of what came before, these bytes included. True when it is no longer known from here on where messages begin.
    pub fn take(&mut self, bytes: Bytes<'_>, gather: impl Fn(u32, usize) -> Vec<u8>, mut tell: impl FnMut(&[u8])) -> bool {
        let Bytes { seq, captured, wire } = bytes;
        let end = seq.wrapping_add(wire);
        let begin = match self.place {
            Place::Start => Some(seq),
            // What was lost in between lay within a message that is not looked at any more.
            Place::At { frame, reached, .. } if reached == seq || distance(seq, frame) >= 0 => Some(frame),
            Place::At { .. } | Place::Lost => None,
        };
        if let Place::At { until, reached, .. } = &mut self.place
            && begin.is_some()
            && distance(end, *until) > 0
        {
            *reached = end;
            return false;
        }
        let was_lost = matches!(self.place, Place::Lost);
        // A message that fills its segment is where most begin and end.
        let Some(mut frame) = begin.or_else(|| fills(captured, wire).then_some(seq)) else {
            self.place = Place::Lost;
            return !was_lost;
        };
        loop {
            let ahead = distance(seq, frame);
            if distance(frame, end) < LENGTH as i32 {
                self.place = Place::At { frame, reached: end, until: frame.wrapping_add(LENGTH) };
                return false;
            }
            let gathered;
            let part = match usize::try_from(ahead) {
                Ok(ahead) => captured.get(ahead..).unwrap_or_default(),
                Err(_) => {
                    gathered = gather(frame, LENGTH as usize + LONGEST_READ);
                    &gathered
                }
            };
            let Some((length, message)) = part.split_first_chunk() else {
                self.place = Place::Lost;
                return !was_lost;
            };
            let length = u16::from_be_bytes(*length);
            let wanted = usize::from(length).min(LONGEST_READ);
            let until = frame.wrapping_add(LENGTH).wrapping_add(wanted as u32);
            if distance(until, end) < 0 {
                self.place = Place::At { frame, reached: end, until };
                return false;
            }
            let message = message.get(..wanted).unwrap_or(message);
            if !is_plausible(message) {
                self.place = Place::Lost;
                return !was_lost;
            }
            tell(message);
            frame = frame.wrapping_add(LENGTH).wrapping_add(u32::from(length));
        }
    }
}

/// From one sequence number to another.
const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

fn fills(captured: &[u8], wire: u32) -> bool {
    captured.first_chunk().is_some_and(|length| LENGTH + u32::from(u16::from_be_bytes(*length)) == wire)
}

/// A whole header with one question at most (RFC 9619): what stands between two messages hardly ever looks so.
fn is_plausible(message: &[u8]) -> bool {
    message.len() >= HEADER && matches!(message.get(4..6), Some([0, 0 | 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of so many bytes with an identification.
    fn framed(id: u8, len: usize) -> Vec<u8> {
        let mut message = vec![0; len];
        (message[1], message[5]) = (id, 1);
        [&(len as u16).to_be_bytes()[..], &message].concat()
    }

    /// What is read of a stream that comes in these pieces, beginning at `start`: identifications and lengths; and how often its borders were lost.
    fn read(start: u32, pieces: &[(u32, &[u8])]) -> (Vec<(u8, usize)>, usize) {
        let (mut framing, mut found, mut lost) = (Framing::default(), Vec::new(), 0);
        let mut stream: Vec<u8> = Vec::new();
        for (at, piece) in pieces {
            stream.resize(*at as usize, 0xee);
            stream.extend_from_slice(piece);
            let gather = |from: u32, most: usize| {
                let rest = &stream[from.wrapping_sub(start) as usize..];
                rest[..most.min(rest.len())].to_vec()
            };
            let bytes = Bytes { seq: start.wrapping_add(*at), captured: piece, wire: piece.len() as u32 };
            lost += usize::from(framing.take(bytes, gather, |message| found.push((message[1], message.len()))));
        }
        (found, lost)
    }

    fn in_pieces(stream: &[u8], size: usize) -> Vec<(u32, &[u8])> {
        stream.chunks(size).enumerate().map(|(number, piece)| ((number * size) as u32, piece)).collect()
    }

    #[test]
    fn messages_are_the_same_however_the_stream_is_cut() {
        let stream = [framed(1, 40), framed(2, 12), framed(3, 900), framed(4, 6000), framed(5, 30)].concat();
        for start in [7, u32::MAX - 50] {
            for size in [1, 2, 3, 41, 42, 43, 1400, 10_000] {
                let expected = [(1, 40), (2, 12), (3, 900), (4, LONGEST_READ), (5, 30)];
                assert_eq!(read(start, &in_pieces(&stream, size)), (expected.to_vec(), 0), "{size} bytes a piece from {start}");
            }
        }
    }

    #[test]
    fn a_hole_behind_what_is_read_of_a_message_costs_nothing() {
        let stream = [framed(1, 9000), framed(2, 50)].concat();
        let pieces = [(0, &stream[..5000]), (7000, &stream[7000..9002]), (9002, &stream[9002..])];
        assert_eq!(read(1, &pieces), (vec![(1, LONGEST_READ), (2, 50)], 0));
    }

    #[test]
    fn after_a_hole_within_a_message_reading_goes_on_with_one_that_fills_its_segment() {
        let (one, two) = (framed(1, 300), framed(2, 50));
        let (tail, behind) = (&one[200..], 302 + 52);
        let pieces = [(0, &one[..100]), (200, tail), (302, &two[..20]), (322, &two[20..]), (behind, &two[..])];
        assert_eq!(read(1, &pieces), (vec![(2, 50)], 1));
    }

    #[test]
    fn what_is_no_message_ends_the_reading() {
        let text = b"GET / HTTP/1.0\r\n\r\n and much more than that, for the first two bytes are the length";
        let long = text.repeat(400);
        assert_eq!(read(1, &in_pieces(&long, 1000)).0, []);
        assert_eq!(read(1, &[(0, &[0, 4, 1, 2, 3, 4][..])]), (Vec::new(), 1));
    }

    #[test]
    fn of_what_the_sensor_cut_the_beginning_is_read() {
        let one = framed(1, 300);
        let mut found = Vec::new();
        let bytes = Bytes { seq: 1, captured: &one[..60], wire: 302 };
        assert!(!Framing::default().take(bytes, |_, _| Vec::new(), |message| found.push(message.len())));
        assert_eq!(found, [58]);
    }
}
