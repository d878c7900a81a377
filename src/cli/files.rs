//! Which file a frame lies in: from numbers that run on over several captures to each file's own.

use std::path::Path;

use crate::alert::Alert;

/// The captures that were begun, in order, and the number before each one's first frame.
#[derive(Debug, Default)]
pub(super) struct Files {
    begun: Vec<(u64, String)>,
}

/// An alert in the numbers of the files that its frames lie in.
pub(super) struct Placed {
    pub(super) alert: Alert,
    /// The file of the first forged frame.
    pub(super) file: Option<String>,
    /// Frames that lie in another file, in a sentence; none when all lie in one.
    pub(super) elsewhere: Option<String>,
}

impl Files {
    /// A new run of numbers.
    pub(super) fn forget(&mut self) {
        self.begun.clear();
    }

    /// The frames behind `before` are those of `file`.
    pub(super) fn begin(&mut self, before: u64, file: &Path) {
        self.begun.push((before, file.display().to_string()));
    }

    /// The file that was begun last, and its count.
    pub(super) fn last(&self) -> (usize, &str) {
        (self.begun.len(), self.begun.last().map_or("", |(_, name)| name))
    }

    /// The place of a file in the order, and the frame's number within it.
    fn locate(&self, number: u64) -> (usize, u64) {
        let file = self.begun.partition_point(|(before, _)| *before < number).saturating_sub(1);
        (file, number - self.begun.get(file).map_or(0, |(before, _)| *before).min(number))
    }

    /// A frame and its file in words.
    pub(super) fn words(&self, number: u64) -> String {
        let (file, within) = self.locate(number);
        format!("frame {within} of {}", self.name(file).unwrap_or_default().escape_debug())
    }

    /// The alert with every frame by its number within its own file.
    pub(super) fn place(&self, alert: &Alert) -> Placed {
        let (home, _) = self.locate(alert.forged.frame);
        let mut placed = alert.clone();
        let mut elsewhere: Vec<(usize, u64)> = Vec::new();
        each_number(&mut placed, |number| {
            let (file, within) = self.locate(*number);
            if file != home {
                elsewhere.push((file, within));
            }
            *number = within;
        });
        for (signal, numbers) in placed.signals.iter_mut().zip(alert.signals.iter().map(|signal| &signal.frames)) {
            for text in [&mut signal.observed, &mut signal.expected, &mut signal.why] {
                *text = self.renumbered(text, numbers, home);
            }
        }
        elsewhere.sort_unstable();
        elsewhere.dedup();
        Placed { alert: placed, file: self.name(home).map(str::to_owned), elsewhere: self.sentence(alert.id, &elsewhere) }
    }

    fn name(&self, file: usize) -> Option<&str> {
        self.begun.get(file).map(|(_, name)| name.as_str())
    }

    fn sentence(&self, id: u64, elsewhere: &[(usize, u64)]) -> Option<String> {
        let parts: Vec<String> = elsewhere
            .chunk_by(|(one, _), (other, _)| one == other)
            .map(|frames| {
                let numbers: Vec<String> = frames.iter().map(|(_, within)| within.to_string()).collect();
                let file = frames.first().and_then(|(file, _)| self.name(*file)).unwrap_or_default();
                format!("{} of {}", numbers.join(", "), file.escape_debug())
            })
            .collect();
        (!parts.is_empty()).then(|| format!("alert {id:016x} spans files: frames {}", parts.join("; frames ")))
    }

    /// Words that say `frame N`, where N is one of `numbers`, in the file's own numbers.
    fn renumbered(&self, text: &str, numbers: &[u64], home: usize) -> String {
        const WORD: &str = "frame ";
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(WORD) {
            let (before, after) = rest.split_at(at + WORD.len());
            let digits = after.len() - after.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            let (number, behind) = after.split_at(digits);
            out.push_str(before);
            match number.parse().ok().filter(|number| numbers.contains(number)).map(|number| self.locate(number)) {
                Some((file, within)) if file == home => out += &within.to_string(),
                Some((file, within)) => out += &format!("{within} of {}", self.name(file).unwrap_or_default()),
                None => out.push_str(number),
            }
            rest = behind;
        }
        out + rest
    }
}

fn each_number(alert: &mut Alert, mut change: impl FnMut(&mut u64)) {
    change(&mut alert.forged.frame);
    alert.forged_frames.iter_mut().for_each(&mut change);
    if let Some(genuine) = &mut alert.genuine {
        change(&mut genuine.frame);
    }
    alert.genuine_frames.iter_mut().for_each(&mut change);
    alert.signals.iter_mut().flat_map(|signal| &mut signal.frames).for_each(&mut change);
    alert.ladder.iter_mut().for_each(|row| change(&mut row.packet.frame));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_files() -> Files {
        let mut files = Files::default();
        files.begin(0, Path::new("a.pcap"));
        files.begin(100, Path::new("empty.pcap"));
        files.begin(100, Path::new("b.pcap"));
        files
    }

    #[test]
    fn a_number_leads_to_its_file_and_the_number_there() {
        let files = two_files();
        assert_eq!(files.locate(1), (0, 1));
        assert_eq!(files.locate(100), (0, 100));
        assert_eq!(files.locate(101), (2, 1), "an empty file holds no frame");
        assert_eq!(Files::default().locate(7), (0, 7));
    }

    #[test]
    fn words_are_renumbered_where_they_mean_a_frame_of_the_alert() {
        let files = two_files();
        assert_eq!(files.renumbered("SYN in frame 101, then frame 7 of 9", &[101, 7], 2), "SYN in frame 1, then frame 7 of a.pcap of 9");
        assert_eq!(files.renumbered("frame 101: \"frame 103\" frame", &[101], 2), "frame 1: \"frame 103\" frame");
    }

    #[test]
    fn frames_of_other_files_are_told_in_a_sentence() {
        let files = two_files();
        let sentence = files.sentence(0xab, &[(0, 99), (0, 100), (2, 4)]).unwrap();
        assert_eq!(sentence, "alert 00000000000000ab spans files: frames 99, 100 of a.pcap; frames 4 of b.pcap");
        assert_eq!(files.sentence(0xab, &[]), None);
    }
}
