//! Why an interface cannot be watched, or cannot any more, and what to do about it.

use std::io;

/// Why an interface cannot be watched, or cannot any more.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// No interface has this name.
    #[error("there is no interface {interface}; `sidewatch interfaces` lists what is there")]
    Missing {
        /// Its name.
        interface: String,
    },
    /// It is there, and switched off.
    #[error("{interface} is down; `ip link set {interface} up` switches it on")]
    Down {
        /// Its name.
        interface: String,
    },
    /// It was watched and was taken away: unplugged, deleted, moved to another network namespace.
    #[error("{interface} is gone; when one of this name comes back it can be opened anew")]
    Gone {
        /// Its name.
        interface: String,
    },
    /// The program lacks a capability.
    #[error(
        "{interface} may not be watched, CAP_NET_RAW is missing: start sidewatch by its systemd unit or as root, or give the program the capability \
         (`setcap cap_net_raw+ep` and its path)"
    )]
    NotPermitted {
        /// The interface's name.
        interface: String,
    },
    /// The user's filter is not one.
    #[error("the capture filter `{filter}` cannot be used on {interface}: {reason}; `man pcap-filter` says how filters are written")]
    Filter {
        /// The interface's name.
        interface: String,
        /// As the user wrote it.
        filter: String,
        /// What libpcap says.
        reason: String,
    },
    /// Several threads cannot share the interface.
    #[error("the kernel does not share out {interface} to several threads: {reason}; with `threads = 1` it can be watched")]
    Sharing {
        /// The interface's name.
        interface: String,
        /// What the kernel says.
        reason: io::Error,
    },
    /// Anything else.
    #[error("{interface} cannot be watched: {reason}")]
    Other {
        /// The interface's name.
        interface: String,
        /// What libpcap says.
        reason: String,
    },
}

impl LiveError {
    /// Whether it passes without anybody changing the configuration or the program's rights: the interface comes, or comes back.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Down { .. } | Self::Gone { .. })
    }

    /// What libpcap said when an interface was opened. It has no numbers for these, only words; those of 1.9 and later are known.
    pub(super) fn at_opening(interface: &str, said: &pcap::Error) -> Self {
        let (interface, reason) = (interface.to_owned(), words(said));
        let says = |parts: &[&str]| parts.iter().any(|part| reason.contains(part));
        if says(&["CAP_NET_RAW", "CAP_NET_ADMIN", "ermission", "Operation not permitted"]) {
            Self::NotPermitted { interface }
        } else if says(&["No such device", "doesn't exist"]) {
            Self::Missing { interface }
        } else if says(&["not up", "Network is down"]) {
            Self::Down { interface }
        } else {
            Self::Other { interface, reason }
        }
    }

    /// What libpcap said when frames were read.
    pub(super) fn at_reading(interface: &str, said: &pcap::Error) -> Self {
        let (interface, reason) = (interface.to_owned(), words(said));
        let gone = ["disappeared", "No such device", "Network is down", "Hangup"];
        if gone.iter().any(|part| reason.contains(part)) { Self::Gone { interface } } else { Self::Other { interface, reason } }
    }
}

/// What libpcap says, without the crate's preface.
pub(super) fn words(said: &pcap::Error) -> String {
    match said {
        pcap::Error::PcapError(words) if !words.is_empty() => words.clone(),
        pcap::Error::PcapError(_) => "libpcap gives no reason".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str) -> pcap::Error {
        pcap::Error::PcapError(words.to_owned())
    }

    #[test]
    fn what_libpcap_says_at_opening_is_told_apart() {
        let at = |words| LiveError::at_opening("wan0", &said(words));
        assert!(matches!(at("Attempt to create packet socket failed - CAP_NET_RAW may be required"), LiveError::NotPermitted { .. }));
        assert!(matches!(at("wan0: You don't have permission to capture"), LiveError::NotPermitted { .. }));
        assert!(matches!(at("No such device exists (SIOCGIFHWADDR: No such device)"), LiveError::Missing { .. }));
        assert!(matches!(at("That device is not up"), LiveError::Down { .. }));
        let other = at("can't create rx ring on packet socket: Invalid argument");
        assert!(matches!(&other, LiveError::Other { reason, .. } if reason.starts_with("can't create rx ring")), "{other}");
        assert!(!other.may_pass());
    }

    #[test]
    fn an_interface_that_was_taken_away_may_come_back() {
        let gone = LiveError::at_reading("wan0", &said("The interface disappeared"));
        assert!(matches!(gone, LiveError::Gone { .. }));
        assert!(gone.may_pass());
        assert!(!LiveError::at_reading("wan0", &said("Reported error condition on packet socket")).may_pass());
    }

    #[test]
    fn the_words_name_the_interface_and_the_next_step() {
        let text = LiveError::Down { interface: "wan0".to_owned() }.to_string();
        assert_eq!(text, "wan0 is down; `ip link set wan0 up` switches it on");
    }
}
