//! What to do next: a few practical lines by verdict, for somebody who has just read an alert.

use super::{Alert, Followed, Mechanism, Verdict};

const KEEP: &str = "Keep the capture unchanged, and note on which network and with which device it was made: it is the evidence.";
const DO_NOT_OPEN: &str = "Do not open the address that the device was sent to, on no device: it may deliver what it was made for, and its owner would \
                           see that somebody looks.";
const CHECK_DEVICE: &str = "If the device may have gone there: do not reset it, stop using it for anything confidential, and have a phone checked with \
                            MVT (Mobile Verification Toolkit).";
const CHECK_THIS_DEVICE: &str = "The device went there: do not reset it, stop using it for anything confidential, and have a phone checked with MVT (Mobile \
                                 Verification Toolkit).";
const DO_NOT_RUN: &str = "Treat what was loaded as untrusted: do not run or install it. If it was opened on a phone, do not reset the phone, and \
                                    have it checked with MVT (Mobile Verification Toolkit).";
const COMPARE: &str =
    "Ask the site for the same page from another network (mobile data, a VPN) and compare: a forgery on the way is seen on one way only.";
const ENCRYPT: &str =
    "Until it is understood, use a VPN or a browser's HTTPS-only mode: what is encrypted cannot be answered by others unnoticed.";
const ASK: &str = "If you may be a target because of your work: ask Access Now's Digital Security Helpline, the Security Lab of Amnesty International \
                   or the Citizen Lab for help.";
const BLOCKED: &str = "Try the same connection from another network: broken off on one way only speaks for blocking on that way.";
const NOT_URGENT: &str = "Nothing is urgent.";
const REPEATS: &str = "If it happens again, capture it again, where both directions pass: repetition tells more than one case can.";
const UNEXPECTED: &str = "If no such page was to be expected here, ask whoever runs the network, and compare from another one.";
const UNKNOWN_TARGET: &str = "Do not open the address that it points to only to have a look.";

const FIND_MACHINE: &str =
    "Find the machine with the hardware address named above (the switch or access point knows its port), and take it off the network.";
const LEAVE: &str = "Until then use another network (mobile data): on this one others may read along and answer in the name of anybody.";

const DO_NOT_GO: &str = "Take what came from the false address for untrusted: what was loaded from it, and what was typed into its pages.";
const COMPARE_NAMES: &str =
    "Ask for the same name from another network (mobile data, a VPN) and compare: a forgery on the way is seen on one way only.";
const ENCRYPT_NAMES: &str =
    "Have names looked up encrypted (DNS over HTTPS or TLS, \"private DNS\" on phones), or use a VPN: nobody on the way can then answer.";

/// The lines, the most important first.
pub(super) fn next_steps(alert: &Alert) -> Vec<&'static str> {
    match alert.verdict {
        Verdict::OnPathInjection | Verdict::InPathInjection | Verdict::LocalMitm if alert.severity >= 3 => vec![NOT_URGENT, KEEP, REPEATS],
        Verdict::OnPathInjection | Verdict::InPathInjection | Verdict::LocalMitm => match alert.mechanism {
            Mechanism::HttpRedirect if went(alert) => vec![KEEP, DO_NOT_OPEN, CHECK_THIS_DEVICE, COMPARE, ENCRYPT, ASK],
            Mechanism::HttpRedirect => vec![KEEP, DO_NOT_OPEN, CHECK_DEVICE, COMPARE, ENCRYPT, ASK],
            Mechanism::HttpContent | Mechanism::TcpContent | Mechanism::TlsDowngrade => vec![KEEP, DO_NOT_RUN, COMPARE, ENCRYPT, ASK],
            Mechanism::TcpReset | Mechanism::TcpFin => vec![KEEP, BLOCKED, REPEATS],
            Mechanism::SynAck | Mechanism::Indicator => vec![KEEP, COMPARE, ENCRYPT, REPEATS],
            Mechanism::DnsAnswer => vec![KEEP, DO_NOT_GO, COMPARE_NAMES, ENCRYPT_NAMES, ASK],
            Mechanism::ArpSpoof | Mechanism::NdpSpoof | Mechanism::DhcpRogue | Mechanism::RaRogue | Mechanism::IcmpRedirect => {
                vec![KEEP, FIND_MACHINE, LEAVE, ENCRYPT]
            }
        },
        Verdict::ListedContact => vec![KEEP, CHECK_DEVICE, UNKNOWN_TARGET, ASK],
        _ if alert.severity <= 2 && !alert.indicators.is_empty() => vec![KEEP, DO_NOT_OPEN, CHECK_DEVICE, COMPARE, ASK],
        Verdict::EndpointRedirect => vec![NOT_URGENT, UNKNOWN_TARGET],
        Verdict::CaptivePortal | Verdict::OperatorNotice => vec![NOT_URGENT, UNEXPECTED],
        Verdict::SuspiciousRedirect => vec![NOT_URGENT, UNKNOWN_TARGET, COMPARE],
        Verdict::Inconclusive => vec![NOT_URGENT, KEEP, REPEATS],
    }
}

/// The device was seen to go where it was sent.
fn went(alert: &Alert) -> bool {
    alert.redirect.as_ref().and_then(|redirect| redirect.followed.as_ref()).is_some_and(Followed::went)
}
