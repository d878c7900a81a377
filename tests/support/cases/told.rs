//! What a case is made of: its name, its recipe in words, its story, and what must be said about it.

use super::wrapped;
use crate::support::container::Container;
use crate::support::story::Story;
use crate::support::wrapping::Wrapping;
use serde::{Deserialize, Serialize};

/// One folder of `pcaps/`.
pub(crate) struct Case {
    pub(crate) name: String,
    /// Origin and recipe: the README's paragraph.
    about: String,
    tell: Tell,
}

enum Tell {
    Alone(fn() -> Told),
    Twin(fn(bool) -> Told, bool),
    Wrapped(Wrapping, bool),
}

/// A story with what is expected of it.
pub(crate) struct Told {
    pub(crate) story: Story,
    pub(crate) container: Container,
    pub(crate) expected: Expected,
    /// A list of indicators that is loaded with it.
    pub(crate) indicators: Option<&'static str>,
    /// Rules that are in force with it.
    pub(crate) rules: Option<&'static str>,
}

/// The content of `expected.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// Each must be there, once.
    pub(crate) alerts: Vec<Alert>,
    /// No alert of severity 1 or 2.
    pub(crate) quiet: bool,
    /// No alert beside those listed, of whatever severity. Otherwise unlisted ones of severity 3 may be there.
    pub(crate) silent: bool,
    /// The mechanisms that a harmless case looks like, where it is not the twin `<name>-quiet` of a loud one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) twin_of: Vec<String>,
}

/// One alert that must come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alert {
    pub(crate) mechanism: String,
    /// Any of these.
    pub(crate) verdict: Vec<String>,
    /// The severity's number may be this or lower.
    pub(crate) max_severity: u8,
    pub(crate) forged_frames: Vec<u64>,
    /// Null: the alert must say that none came.
    pub(crate) genuine_frame: Option<u64>,
    /// Codes that must be among the alert's signals.
    pub(crate) signals: Vec<String>,
    /// How the client followed, step by step; empty: it must not be said that it did; none: whatever is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) followed: Option<Vec<String>>,
    /// By way of what the client came to ask, each as how and address; none: whatever is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) led_by: Option<Vec<String>>,
}

impl Case {
    /// A case with no twin.
    pub(crate) fn alone(name: &str, about: &'static str, tell: fn() -> Told) -> Self {
        Self { name: name.to_owned(), about: about.to_owned(), tell: Tell::Alone(tell) }
    }

    /// A loud case and its quiet twin.
    pub(crate) fn twins(name: &str, loud: &'static str, quiet: &'static str, tell: fn(bool) -> Told) -> [Self; 2] {
        [
            Self { name: name.to_owned(), about: loud.to_owned(), tell: Tell::Twin(tell, true) },
            Self { name: format!("{name}-quiet"), about: quiet.to_owned(), tell: Tell::Twin(tell, false) },
        ]
    }

    /// The race of `race-302-on-get` and its twin, wrapped.
    pub(crate) fn wrapped(wrapping: Wrapping) -> [Self; 2] {
        [("", "The race"), ("-quiet", "The quiet twin")].map(|(suffix, which)| Self {
            name: format!("wrapped-{}{suffix}", wrapping.name),
            about: format!("{which} of `race-302-on-get` {}", wrapping.about),
            tell: Tell::Wrapped(wrapping, suffix.is_empty()),
        })
    }

    /// Tells the story.
    pub(crate) fn told(&self) -> Told {
        match self.tell {
            Tell::Alone(tell) => tell(),
            Tell::Twin(tell, loud) => tell(loud),
            Tell::Wrapped(wrapping, loud) => wrapped::told(wrapping, loud),
        }
    }

    /// The README of the folder.
    pub(crate) fn readme(&self) -> String {
        let kind = if self.told().expected.quiet { "Quiet" } else { "Loud" };
        format!(
            "# {}\n\n{} case.\n\n{}\n\n\
             All packets are made up by the story of this name in `tests/support/cases/`; none was captured from a network.\n\
             Addresses are those of RFC 5737 and RFC 3849, names those of RFC 2606.\n\
             `SIDEWATCH_BLESS=1 cargo test` writes this folder anew from the story.\n",
            self.name,
            kind,
            self.about.split_whitespace().collect::<Vec<_>>().join(" ")
        )
    }
}

impl Told {
    /// A story that must be heard: exactly these alerts.
    pub(crate) fn loud<const N: usize>(story: Story, alerts: [Alert; N]) -> Self {
        Self::new(story, Expected { alerts: alerts.into(), quiet: false, silent: true, twin_of: Vec::new() })
    }

    /// A story that wakes nobody: low ones may be recorded.
    pub(crate) fn quiet(story: Story) -> Self {
        Self::new(story, Expected { alerts: Vec::new(), quiet: true, silent: false, twin_of: Vec::new() })
    }

    /// A story that wakes nobody, and of which exactly these records are kept.
    pub(crate) fn noted<const N: usize>(story: Story, alerts: [Alert; N]) -> Self {
        Self::new(story, Expected { alerts: alerts.map(|alert| alert.up_to(3)).into(), quiet: true, silent: true, twin_of: Vec::new() })
    }

    /// A story of which nothing may be said at all.
    pub(crate) fn silent(story: Story) -> Self {
        Self::new(story, Expected { alerts: Vec::new(), quiet: true, silent: true, twin_of: Vec::new() })
    }

    fn new(story: Story, expected: Expected) -> Self {
        Self { story, container: Container::Pcap, expected, indicators: None, rules: None }
    }

    /// The same in another form of file.
    pub(crate) fn kept_as(self, container: Container) -> Self {
        Self { container, ..self }
    }

    /// The same with a list of indicators beside it.
    pub(crate) fn listing(self, indicators: &'static str) -> Self {
        Self { indicators: Some(indicators), ..self }
    }

    /// The same with rules beside it.
    pub(crate) fn ruled(self, rules: &'static str) -> Self {
        Self { rules: Some(rules), ..self }
    }

    /// A harmless story without a loud twin, that looks like these mechanisms.
    pub(crate) fn like<const N: usize>(mut self, mechanisms: [&str; N]) -> Self {
        self.expected.twin_of = mechanisms.map(str::to_owned).into();
        self
    }

    /// The text of `expected.json`.
    pub(crate) fn expected_json(&self) -> String {
        serde_json::to_string_pretty(&self.expected).unwrap() + "\n"
    }
}

impl Alert {
    /// A race: the genuine answer came too.
    pub(crate) fn on_path(mechanism: &str, forged: &[u64], genuine: u64) -> Self {
        Self {
            mechanism: mechanism.to_owned(),
            verdict: vec!["on_path_injection".to_owned()],
            max_severity: 1,
            forged_frames: forged.to_vec(),
            genuine_frame: Some(genuine),
            signals: Vec::new(),
            followed: None,
            led_by: None,
        }
    }

    /// The genuine answer never came.
    pub(crate) fn in_path(mechanism: &str, forged: &[u64]) -> Self {
        Self { verdict: vec!["in_path_injection".to_owned()], genuine_frame: None, ..Self::on_path(mechanism, forged, 0) }
    }

    /// This verdict, and no genuine answer.
    pub(crate) fn called(verdict: &str, mechanism: &str, frames: &[u64]) -> Self {
        Self { verdict: vec![verdict.to_owned()], ..Self::in_path(mechanism, frames) }
    }

    /// The path was bent inside the network by these messages; the machine whose place was taken was last heard before them in `genuine`.
    pub(crate) fn local(mechanism: &str, forged: &[u64], genuine: Option<u64>) -> Self {
        Self { verdict: vec!["local_mitm".to_owned()], genuine_frame: genuine, ..Self::on_path(mechanism, forged, 0) }
    }

    /// This verdict would do as well.
    pub(crate) fn or_verdict(mut self, verdict: &str) -> Self {
        self.verdict.push(verdict.to_owned());
        self
    }

    /// This severity would do.
    pub(crate) fn up_to(self, max_severity: u8) -> Self {
        Self { max_severity, ..self }
    }

    /// It must tell that the client followed in these steps.
    pub(crate) fn followed<const N: usize>(self, steps: [&str; N]) -> Self {
        Self { followed: Some(steps.map(str::to_owned).into()), ..self }
    }

    /// It must tell that these led the client to its request, in this order.
    pub(crate) fn led_by<const N: usize>(self, leads: [&str; N]) -> Self {
        Self { led_by: Some(leads.map(str::to_owned).into()), ..self }
    }

    /// It must name these signals.
    pub(crate) fn by<const N: usize>(self, signals: [&str; N]) -> Self {
        Self { signals: signals.map(str::to_owned).into(), ..self }
    }
}
