//! Why one attempt to tell a sink failed, and what follows from it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::secret::SecretError;
use super::tls::TlsError;

/// Why one attempt failed. No variant holds a secret, a token, or more of a URL than its host.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A secret or token cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Certificates or keys cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A setting cannot be used.
    #[error("{what}: {why}; correct it in the configuration and reload")]
    Setting {
        /// The setting.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be written.
    #[error("{path}: {source}; the line waits until the file can be written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody answered.
    #[error("{to} cannot be reached: {why}")]
    Unreachable {
        /// Host and port.
        to: String,
        /// What went wrong on the way.
        why: String,
    },
    /// No whole answer in time.
    #[error("{to} did not answer within {} s", within.as_secs_f32())]
    Slow {
        /// Host and port.
        to: String,
        /// The time that it had.
        within: Duration,
    },
    /// It answered that it did not take it.
    #[error("{to} answered {status}{}", quoted(.said))]
    Answer {
        /// Host and port.
        to: String,
        /// HTTP status.
        status: u16,
        /// The beginning of what it said, printable.
        said: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It answered that it is elsewhere.
    #[error("{to} answered {status}; redirects are not followed: put the final address into the configuration")]
    Moved {
        /// Host and port.
        to: String,
        /// HTTP status.
        status: u16,
    },
    /// It answered that it is gone for good.
    #[error(
        "{to} answered 410 Gone: it wants no more of this; remove the sink or correct its URL, then `sidewatch sinks status --retry-dead`"
    )]
    Gone {
        /// Host and port.
        to: String,
    },
    /// The journal does not take it.
    #[error("the journal does not take it: {0}; is systemd-journald running?")]
    Journal(String),
    /// It ended with the runtime.
    #[error("the attempt was broken off")]
    BrokenOff,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Try again: the receiver is away, or something of ours has to be mended first.
    Wait,
    /// Try again, but not for days: the receiver is there and does not take this record.
    WaitLess,
    /// Another attempt would end alike.
    GiveUp,
    /// As `GiveUp`, and leave the receiver alone for a while.
    Rest,
}

impl SinkError {
    /// What follows from it.
    pub(super) const fn remedy(&self) -> Remedy {
        match self {
            Self::Answer { status, .. } => match status {
                408 | 425 | 429 | 502 | 503 | 504 => Remedy::Wait,
                400..=499 => Remedy::GiveUp,
                _ => Remedy::WaitLess,
            },
            Self::Moved { .. } => Remedy::WaitLess,
            Self::Gone { .. } => Remedy::Rest,
            _ => Remedy::Wait,
        }
    }

    /// What to do about it, where its own words do not say so.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Answer { status, .. } => match status {
                401 | 403 => "check the sink's token and secrets, and that the receiver knows them",
                404 | 405 => "check the path of the sink's URL",
                400 | 413 | 415 | 422 => "check that the sink's template is the one that this receiver reads",
                429 => "the receiver wants fewer: lower per_minute of this sink",
                _ => "the receiver has trouble of its own: see its log",
            },
            Self::Unreachable { .. } => "check name, port, routes and firewalls, and with TLS the receiver's certificate and `ca`",
            Self::Slow { .. } => "check that the receiver is alive and the port is its own; a slow one needs a longer timeout",
            Self::File { .. } => "check the path, the rights of the daemon's user on its folder, and the room on the disk",
            _ => return None,
        })
    }

    /// How long the receiver asks to be left alone.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answer { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn quoted(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}
