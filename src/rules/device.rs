//! The device library: marks of known injection devices, as data (`rules/devices.toml`), and how a scene is held against them.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, IntoDeserializer, SeqAccess, Visitor};

use crate::engine::case::scene::Scene;
use crate::engine::case::stacks;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::flow::record::Record;
use crate::engine::time::Span;

/// Known devices.
#[derive(Debug, Default)]
pub struct DeviceLibrary {
    devices: Vec<Device>,
}

/// What a device's packets look like. Every field that is given is compared; a field that cannot be judged in a scene is left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Name of product or family.
    pub name: String,
    /// Who described it.
    pub source: String,
    /// When, as a year or a date.
    #[serde(default = "undated")]
    pub date: String,
    /// Names of the fields without which nothing matches; all that are given, where none is named.
    #[serde(default)]
    pub mandatory: Vec<String>,
    /// The marks are those of a common packet tool too: they count only where the server's own packets differ.
    #[serde(default)]
    pub generic: bool,
    /// The marks.
    pub marks: Marks,
}

/// The comparable fields.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Marks {
    /// One of these IPv4 identifications.
    #[serde(deserialize_with = "one_or_many")]
    pub ip_id: Option<Vec<u16>>,
    /// The identification is that of the client's SYN.
    pub ip_id_of_syn: Option<bool>,
    /// The "don't fragment" bit.
    pub df: Option<bool>,
    /// One of these windows.
    #[serde(deserialize_with = "one_or_many")]
    pub window: Option<Vec<u16>>,
    /// The options area is empty.
    pub no_options: Option<bool>,
    /// One of these flag sets, in letters from FIN up, as in `FA` or `RA`.
    #[serde(deserialize_with = "one_or_many")]
    pub flags: Option<Vec<String>>,
    /// Reserved or ECN bits are set.
    pub reserved_bits: Option<bool>,
    /// TTL and window both rise by one from packet to packet.
    pub ttl_and_window_rise: Option<bool>,
    /// The second RST's sequence number lies this far above the first one's.
    pub reset_step: Option<u32>,
    /// A bare acknowledgment follows the FIN after so many milliseconds, from and to.
    pub last_ack_ms: Option<(u16, u16)>,
    /// The response has no fields but these, in lower case.
    #[serde(deserialize_with = "one_or_many")]
    pub only_fields: Option<Vec<String>>,
    /// The Server field begins so.
    pub server_field: Option<String>,
    /// The payload, in hex.
    pub payload_hex: Option<String>,
}

impl Marks {
    /// Fewer matching fields than this are chance.
    pub const FEWEST: usize = 3;

    /// Names of the fields that are given.
    #[must_use]
    pub fn given(&self) -> Vec<&'static str> {
        let fields = [
            ("ip_id", self.ip_id.is_some()),
            ("ip_id_of_syn", self.ip_id_of_syn.is_some()),
            ("df", self.df.is_some()),
            ("window", self.window.is_some()),
            ("no_options", self.no_options.is_some()),
            ("flags", self.flags.is_some()),
            ("reserved_bits", self.reserved_bits.is_some()),
            ("ttl_and_window_rise", self.ttl_and_window_rise.is_some()),
            ("reset_step", self.reset_step.is_some()),
            ("last_ack_ms", self.last_ack_ms.is_some()),
            ("only_fields", self.only_fields.is_some()),
            ("server_field", self.server_field.is_some()),
            ("payload_hex", self.payload_hex.is_some()),
        ];
        fields.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// Values that no packet can have.
    #[must_use]
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        let letters = |flags: &String| {
            let known: Vec<usize> = flags.chars().filter_map(|letter| "FSRPAU".find(letter)).collect();
            known.len() == flags.len() && known.is_sorted_by(|a, b| a < b) && !known.is_empty()
        };
        for flags in self.flags.iter().flatten().filter(|flags| !letters(flags)) {
            flaws.push(format!("the flags \"{flags}\" are no letters of FSRPAU in that order"));
        }
        if let Some(hex) =
            self.payload_hex.as_ref().filter(|hex| hex.len() % 2 == 1 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        {
            flaws.push(format!("the payload \"{hex}\" is no lower-case hex"));
        }
        if self.last_ack_ms.is_some_and(|(from, to)| from > to) {
            flaws.push("last_ack_ms ends before it begins".to_owned());
        }
        flaws
    }
}

fn undated() -> String {
    "undated".to_owned()
}

/// A list, or one value in place of a list of one.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Vec<T>>, D::Error> {
    deserializer.deserialize_any(OneOrMany(PhantomData)).map(Some)
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list of values")
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Vec<T>, E> {
        T::deserialize(value.into_deserializer()).map(|one| vec![one])
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Vec<T>, E> {
        T::deserialize(value.into_deserializer()).map(|one| vec![one])
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = seq.next_element()? {
            all.push(one);
        }
        Ok(all)
    }
}

/// A match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// `Device::name`.
    pub name: String,
    /// `Device::source`.
    pub source: String,
    /// `Device::date`.
    pub date: String,
    /// Every field that could be judged matched.
    pub exact: bool,
    /// The fields that matched, with their values.
    pub fields: Vec<String>,
}

impl DeviceLibrary {
    /// Adds an entry.
    pub fn add(&mut self, device: Device) {
        self.devices.push(device);
    }
    /// The entries.
    #[must_use]
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }
    /// A packet that carries the mandatory identification of an entry: reason enough to look closer.
    #[must_use]
    pub fn may_know(&self, record: &Record) -> bool {
        !record.is_v6()
            && self.devices.iter().any(|device| {
                let id = (device.mandatory.is_empty() || device.mandatory.iter().any(|name| name == "ip_id"))
                    && device.marks.ip_id.as_ref().is_some_and(|ids| ids.contains(&record.ip_id));
                id && !device.generic
            })
    }
    /// The entry that fits best.
    #[must_use]
    pub fn best_match(&self, scene: &Scene) -> Option<Match> {
        self.devices.iter().filter_map(|device| hold_against(device, scene)).max_by_key(|found| (found.exact, found.fields.len()))
    }
}

fn hold_against(device: &Device, scene: &Scene) -> Option<Match> {
    let fields = judged(&device.marks, scene);
    let matched = |name: &str| fields.iter().any(|field| field.name == name && field.matches);
    let own_stack = device.generic && !differs_from_base(scene);
    let all = || device.marks.given().into_iter().all(matched);
    let mandatory = if device.mandatory.is_empty() { all() } else { device.mandatory.iter().all(|name| matched(name)) };
    if own_stack || !mandatory {
        return None;
    }
    let found: Vec<String> = fields.iter().filter(|field| field.matches).map(|field| field.shown.clone()).collect();
    (found.len() >= Marks::FEWEST).then(|| Match {
        name: device.name.clone(),
        source: device.source.clone(),
        date: device.date.clone(),
        exact: fields.iter().all(|field| field.matches),
        fields: found,
    })
}

/// The server's own packets are not made the same way.
fn differs_from_base(scene: &Scene) -> bool {
    let alike = |record: &Record| {
        record.df() == scene.suspect.df() && record.has_timestamps() == scene.suspect.has_timestamps() && record.ttl == scene.suspect.ttl
    };
    scene.base_with_syn_ack().next().is_some() && !scene.base_with_syn_ack().any(alike)
}

/// The suspect's identification stands in the row of the server's own: a counter passes every value, a device's among them.
fn is_next_of_server(scene: &Scene) -> bool {
    let suspect = &scene.suspect;
    scene.base_with_syn_ack().any(|record| {
        let step = stacks::id_step(suspect.ip_id, record.ip_id).unsigned_abs();
        record.df() == suspect.df() && (1..=64).contains(&step)
    })
}

struct Field {
    name: &'static str,
    matches: bool,
    /// Empty unless it matches: most entries match in nothing.
    shown: String,
}

impl Field {
    fn new(name: &'static str, matches: bool, shown: &dyn Fn() -> String) -> Self {
        Self { name, matches, shown: if matches { shown() } else { String::new() } }
    }
}

fn judged(marks: &Marks, scene: &Scene) -> Vec<Field> {
    let suspect = &scene.suspect;
    let mut fields = Vec::new();
    let mut judge = |name, matches, shown: &dyn Fn() -> String| fields.push(Field::new(name, matches, shown));
    if !suspect.is_v6() {
        if let Some(ids) = &marks.ip_id {
            let own = is_next_of_server(scene);
            judge("ip_id", !own && scene.forged.iter().all(|record| ids.contains(&record.ip_id)), &|| {
                format!("IP ID {:#06x}", suspect.ip_id)
            });
        }
        if let (Some(expected), Some(syn)) = (marks.ip_id_of_syn, scene.syn.seen()) {
            judge("ip_id_of_syn", (syn.ip_id == suspect.ip_id) == expected, &|| "IP ID of the client's SYN".to_owned());
        }
        if let Some(df) = marks.df {
            judge("df", suspect.df() == df, &|| format!("DF {}", if suspect.df() { "set" } else { "clear" }));
        }
    }
    if let Some(windows) = &marks.window {
        judge("window", windows.contains(&suspect.window), &|| format!("window {}", suspect.window));
    }
    if let Some(expected) = marks.no_options {
        judge("no_options", suspect.no_options() == expected, &|| "no TCP options".to_owned());
    }
    if let Some(sets) = &marks.flags {
        let flags = TcpFlags(suspect.flags.0 & 0x3f).to_string();
        judge("flags", sets.contains(&flags), &|| format!("flags {flags}"));
    }
    if let Some(expected) = marks.reserved_bits {
        let odd = suspect.flags.any(TcpFlags::RESERVED | TcpFlags::ECE | TcpFlags::CWR);
        judge("reserved_bits", odd == expected, &|| "reserved or ECN bits".to_owned());
    }
    fields.extend(of_sequence(marks, scene));
    fields.extend(of_content(marks, scene));
    fields
}

/// Marks that lie in the sender's several packets.
fn of_sequence(marks: &Marks, scene: &Scene) -> Vec<Field> {
    let mut fields = Vec::new();
    let pairs = || scene.forged.iter().zip(scene.forged.iter().skip(1));
    if let Some(expected) = marks.ttl_and_window_rise
        && scene.forged.len() >= 2
    {
        let rises = pairs().all(|(a, b)| b.ttl == a.ttl.wrapping_add(1) && b.window == a.window.wrapping_add(1));
        fields.push(Field::new("ttl_and_window_rise", rises == expected, &|| "TTL and window rise by one".to_owned()));
    }
    let resets: Vec<&Record> = scene.forged.iter().filter(|record| record.flags.any(TcpFlags::RST)).collect();
    if let Some(step) = marks.reset_step
        && resets.len() >= 2
    {
        let steps = resets.iter().zip(resets.iter().skip(1)).any(|(a, b)| b.seq.wrapping_sub(a.seq) == step);
        fields.push(Field::new("reset_step", steps, &|| format!("second RST {step} further")));
    }
    if let Some((from, to)) = marks.last_ack_ms
        && let Some(ack) = scene.forged.iter().find(|record| record.frame > scene.suspect.frame && record.is_bare_ack())
    {
        let after = ack.time - scene.suspect.time;
        let within = (Span::from_millis(i64::from(from))..=Span::from_millis(i64::from(to))).contains(&after);
        fields.push(Field::new("last_ack_ms", within, &|| format!("last ACK after {:.1} ms", after.as_millis_f64())));
    }
    fields
}

fn of_content(marks: &Marks, scene: &Scene) -> Vec<Field> {
    let mut fields = Vec::new();
    if let (Some(only), Some(response)) = (&marks.only_fields, &scene.response) {
        let matches = !response.field_names.is_empty() && response.fields().all(|name| only.iter().any(|other| other == name));
        let shown = || format!("only the fields {}", response.fields().collect::<Vec<_>>().join(", "));
        fields.push(Field::new("only_fields", matches, &shown));
    }
    if let (Some(prefix), Some(response)) = (&marks.server_field, &scene.response) {
        let matches = response.server.as_ref().is_some_and(|server| server.starts_with(prefix.as_str()));
        fields.push(Field::new("server_field", matches, &|| format!("Server {prefix}")));
    }
    if let Some(hex) = &marks.payload_hex {
        let payload: String = scene.payload.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
        fields.push(Field::new("payload_hex", payload == *hex, &|| format!("payload {hex}")));
    }
    fields
}
