//! Questions of DNS over UDP and TCP, the answers that came to each, and what a resolver's answers look like. Knows no attack.

pub mod exchange;
pub mod habits;
#[cfg(test)]
pub(super) mod samples;
pub mod stream;
pub mod table;

pub use exchange::{Answer, Asked, Exchange, Mark};
pub use habits::{Habit, Pair};
pub use table::{Closed, DnsCounters, Exchanges};

use super::time::Span;

/// How long answers are waited for, after the question and after the first answer. A forged answer that loses the race comes within a
/// round trip of the genuine one; stub resolvers give up after 5 s (resolv.conf(5), `timeout`).
pub const WINDOW: Span = Span::from_secs(5);
/// The same question again within this time, with the same identification in its IP header, is the sensor's second look at it: before and
/// after a router, or a mirror that tells twice. Stub resolvers ask again after a second or more.
pub const COPY_WITHIN: Span = Span::from_millis(50);

/// A question and its answers when nothing more is waited for, beside what the resolver's other answers to this client look like.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Between whom.
    pub pair: Pair,
    /// The question and its answers.
    pub exchange: Exchange,
    /// Answers to other questions, one each, that nothing contradicts.
    pub habits: Vec<Habit>,
}
