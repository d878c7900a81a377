//! Lists in JSON, read as a stream: STIX bundles, MISP events and answers, and the manifest of a MISP feed.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::gather::Gathering;
use super::{misp, stix};

/// Events of one manifest.
const MOST_EVENTS: usize = 60_000;
/// STIX objects by which a bundle says what it is about.
const SUBJECTS: [&str; 5] = ["malware", "campaign", "intrusion-set", "threat-actor", "report"];
/// STIX objects that say what was seen; that something was seen does not make it an indicator.
const SEEN: [&str; 4] = ["domain-name", "url", "ipv4-addr", "ipv6-addr"];

/// What a file turned out to hold beside indicators.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Ids of the events that a feed's manifest lists; each is a file beside it.
    pub(super) events: Vec<String>,
    /// Objects, events and attributes that were understood.
    understood: u64,
}

/// Reads a file to its end.
///
/// # Errors
/// A sentence with line and column, when it is no JSON or ends early; what came before it is gathered.
pub(super) fn read(input: impl Read, gathering: &mut Gathering) -> Result<Outcome, String> {
    let line = Cell::new(1);
    let mut outcome = Outcome::default();
    let mut json = serde_json::Deserializer::from_reader(Lines { input, line: &line });
    let walk = Walk { gathering, line: &line, outcome: &mut outcome, place: Place::Top };
    walk.deserialize(&mut json).and_then(|()| json.end()).map_err(|error| error.to_string())?;
    if outcome.understood == 0 && outcome.events.is_empty() {
        return Err(
            "holds neither STIX objects nor MISP events: a bundle has \"objects\", an event has \"Event\" or \"Attribute\"".to_owned()
        );
    }
    Ok(outcome)
}

/// Counts lines as they are read.
struct Lines<'a, R> {
    input: R,
    line: &'a Cell<u64>,
}

impl<R: Read> Read for Lines<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.input.read(buffer)?;
        let ends = buffer.iter().take(len).filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get() + ends as u64);
        Ok(len)
    }
}

/// Where in the file a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    /// Below `objects`, `Event`, `Object`, `response`.
    Inside,
    /// Below `Attribute`.
    Attribute,
}

struct Walk<'a> {
    gathering: &'a mut Gathering,
    line: &'a Cell<u64>,
    outcome: &'a mut Outcome,
    place: Place,
}

impl Walk<'_> {
    fn below(&mut self, place: Place) -> Walk<'_> {
        Walk { gathering: self.gathering, line: self.line, outcome: self.outcome, place }
    }

    /// An object that was read to its end.
    fn take(&mut self, facts: &Facts, line: u64) {
        let kind = facts.kind.text();
        if self.place == Place::Attribute {
            self.outcome.understood += 1;
            match (kind, facts.value.text()) {
                _ if facts.deleted == Loose::Flag(true) => self.gathering.skip("deleted"),
                (Some(kind), Some(value)) => misp::attribute(kind, value, facts.to_ids.flag(), (line, self.gathering)),
                _ => self.gathering.complain(line, "an attribute without type or value".to_owned()),
            }
            return;
        }
        let day = |date: Option<&str>| date.and_then(|date| date.get(..10)).map(str::to_owned);
        if facts.is_event {
            self.outcome.understood += 1;
            self.gathering.describe(facts.info.text(), day(facts.date.text()).as_deref());
        }
        let Some(kind) = kind else { return };
        if self.place == Place::Top && kind == "bundle" {
            self.outcome.understood += 1;
            return;
        }
        self.outcome.understood += 1;
        if kind == "indicator" {
            self.indicator(facts, line);
            self.gathering.describe(None, day(facts.modified.text()).as_deref());
        } else if SUBJECTS.contains(&kind) {
            self.gathering.describe(facts.name.text(), None);
        } else if SEEN.contains(&kind) && facts.value.text().is_some() {
            self.gathering.skip(&format!("{kind} seen, no indicator"));
        }
    }

    fn indicator(&mut self, facts: &Facts, line: u64) {
        match (facts.pattern_type.text(), facts.pattern.text()) {
            _ if facts.revoked == Loose::Flag(true) => self.gathering.skip("revoked"),
            (None | Some("stix"), Some(pattern)) => stix::pattern(pattern, line, self.gathering),
            (Some(other), _) => self.gathering.skip(&format!("pattern in {other}")),
            (None, None) => self.gathering.complain(line, "an indicator without a pattern".to_owned()),
        }
    }
}

/// The fields that tell what an object is.
#[derive(Default)]
struct Facts {
    kind: Loose,
    pattern: Loose,
    pattern_type: Loose,
    value: Loose,
    info: Loose,
    name: Loose,
    date: Loose,
    modified: Loose,
    to_ids: Loose,
    revoked: Loose,
    deleted: Loose,
    is_event: bool,
}

impl Facts {
    fn slot(&mut self, key: &str) -> Option<&mut Loose> {
        Some(match key {
            "type" => &mut self.kind,
            "pattern" => &mut self.pattern,
            "pattern_type" => &mut self.pattern_type,
            "value" => &mut self.value,
            "info" => &mut self.info,
            "name" => &mut self.name,
            "date" => &mut self.date,
            "modified" => &mut self.modified,
            "to_ids" => &mut self.to_ids,
            "revoked" => &mut self.revoked,
            "deleted" => &mut self.deleted,
            _ => return None,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a STIX bundle, or a MISP event or feed")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let line = self.line.get();
        let mut facts = Facts::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "Attribute" => {
                    facts.is_event = true;
                    map.next_value_seed(self.below(Place::Attribute))?;
                }
                "objects" | "Event" | "Object" | "response" => map.next_value_seed(self.below(Place::Inside))?,
                key if self.place == Place::Top && is_uuid(key) && self.outcome.events.len() < MOST_EVENTS => {
                    self.outcome.events.push(key.to_owned());
                    map.next_value::<IgnoredAny>()?;
                }
                key => match facts.slot(key) {
                    Some(slot) => *slot = map.next_value()?,
                    None => _ = map.next_value::<IgnoredAny>()?,
                },
            }
        }
        self.take(&facts, line);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let place = if self.place == Place::Attribute { Place::Attribute } else { Place::Inside };
        while seq.next_element_seed(self.below(place))?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Keys that become names of files.
fn is_uuid(key: &str) -> bool {
    key.len() == 36 && key.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// A text or a flag; anything else is passed over.
#[derive(Debug, Default, PartialEq, Eq)]
enum Loose {
    #[default]
    Other,
    Text(String),
    Flag(bool),
}

impl Loose {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    const fn flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }
}

impl<'de> serde::Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }
    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Loose, E> {
        Ok(Loose::Flag(flag))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }
    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(if number <= 1 { Loose::Flag(number == 1) } else { Loose::Other })
    }
    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }
    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
}
