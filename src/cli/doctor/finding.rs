//! What the doctor found, and how it is told.

/// Something that blinds a sensor, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether it is wrong. Otherwise it is only said.
    pub(super) wrong: bool,
    /// What is the matter.
    pub(super) what: String,
    /// Why that matters.
    pub(super) why: String,
    /// The command that mends it, or what else does.
    pub(super) mend: String,
}

impl Finding {
    /// Something wrong.
    pub(super) fn wrong(what: impl Into<String>, why: &str, mend: impl Into<String>) -> Self {
        Self { wrong: true, what: what.into(), why: why.to_owned(), mend: mend.into() }
    }

    /// Something to know.
    pub(super) fn note(what: impl Into<String>, why: &str, mend: impl Into<String>) -> Self {
        Self { wrong: false, ..Self::wrong(what, why, mend) }
    }
}

/// All that was found, what is wrong first.
pub(super) fn told(findings: &[Finding]) -> String {
    let mut text = String::new();
    let (wrong, notes): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| finding.wrong);
    for finding in wrong.iter().chain(&notes) {
        let mark = if finding.wrong { "WRONG" } else { "note " };
        text.push_str(&format!("\n{mark}  {}\n  why:   {}\n  mend:  {}\n", finding.what, finding.why, finding.mend));
    }
    text.push_str(&match (wrong.len(), notes.len()) {
        (0, 0) => "\nNothing is wrong.\n".to_owned(),
        (0, _) => "\nNothing is wrong; see the notes.\n".to_owned(),
        (1, _) => "\nOne thing is wrong.\n".to_owned(),
        (count, _) => format!("\n{count} things are wrong.\n"),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_before_what_is_only_to_be_known() {
        let text = told(&[Finding::note("a", "b", "c"), Finding::wrong("eth0 is down", "nothing comes", "ip link set eth0 up")]);
        assert!(text.starts_with("\nWRONG  eth0 is down\n  why:   nothing comes\n  mend:  ip link set eth0 up\n\nnote   a\n"), "{text}");
        assert!(text.ends_with("\nOne thing is wrong.\n"));
        assert_eq!(told(&[]), "\nNothing is wrong.\n");
    }
}
