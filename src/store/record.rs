//! What the database keeps of an alert or an event, in plain values.

/// What kind of message a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An alert.
    Alert,
    /// The sensor lives.
    Heartbeat,
    /// The sensor sees nothing, or too little.
    Blind,
    /// It sees again.
    Seeing,
    /// Asked for by `sinks test` or `selftest`.
    Test,
}

/// An alert or an event, as committed and delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The alert's id, 16 hex digits; of an event a unique word. The idempotency key.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Packet time of what it is about, Unix microseconds.
    pub at: i64,
    /// 1 high, 2 medium, 3 low.
    pub severity: u8,
    /// EVE name of the mechanism; empty for events.
    pub mechanism: String,
    /// EVE name of the verdict; empty for events.
    pub verdict: String,
    /// Address of the victim.
    pub client: String,
    /// Address that the forgery claims to be from.
    pub server: String,
    /// One line in plain words.
    pub headline: String,
    /// The explanation, two or three sentences.
    pub explanation: String,
    /// Records with the same key within the storm window are one whose count grows.
    pub storm_key: String,
    /// The EVE line.
    pub eve: String,
}
