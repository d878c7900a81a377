//! What facts mean for a sensor: pure, so that each illness has its test.

use super::finding::Finding;
use super::listen::Heard;
use super::machine::ClockState;
use super::offloads::{self, Feature, Offloads, Why};
use crate::capture::live::{Interface, LiveError};
use crate::config::Config;

/// Of so many connections at least most must be heard in both directions.
const ENOUGH_FLOWS: usize = 3;

/// The interface itself: whether it can carry anything.
pub(super) fn link(found: &Interface) -> Option<Finding> {
    let name = &found.name;
    if !found.up {
        return Some(Finding::wrong(format!("{name} is down"), "nothing is received on it", format!("ip link set {name} up")));
    }
    (found.carrier == Some(false)).then(|| {
        Finding::wrong(
            format!("{name} has no carrier"),
            "nothing is plugged in, or the other end is switched off: nothing is received",
            format!("check the cable and the port of the switch or mirror; `ethtool {name}` says what the card sees"),
        )
    })
}

/// Features of `name` that merge packets; `name` is watched itself or lies below what is.
pub(super) fn offloads(name: &str, found: &Offloads) -> Vec<Finding> {
    const MERGED: &str = "several received packets become one with the first one's header: a forged packet and the genuine one after it can no longer be told \
                          apart by their headers";
    match found {
        Offloads::Unknown(Why::NoProgram) => vec![Finding::note(
            format!("whether {name} merges received packets (GRO, LRO) is not known: ethtool is not installed"),
            MERGED,
            "apt install ethtool, then run this again",
        )],
        // Kinds of interfaces that have no such features say so.
        Offloads::Unknown(Why::Said(_)) => Vec::new(),
        Offloads::Known(features) => {
            let (fixed, free): (Vec<&Feature>, Vec<&Feature>) =
                features.iter().filter(|feature| feature.on).partition(|feature| feature.fixed);
            let names =
                |features: &[&Feature]| features.iter().map(|feature| offloads::short(&feature.name)).collect::<Vec<_>>().join(", ");
            let wrong =
                Finding::wrong(format!("{name} merges received packets ({})", names(&free)), MERGED, offloads::turn_off(name, &free));
            let note = Finding::note(
                format!("{name} merges received packets ({}), and it cannot be turned off here", names(&fixed)),
                MERGED,
                "turn it off where the driver's other end is (the hypervisor's interface), or watch there",
            );
            [(!free.is_empty()).then_some(wrong), (!fixed.is_empty()).then_some(note)].into_iter().flatten().collect()
        }
    }
}

/// Why it could not be listened.
pub(super) fn refused(error: &LiveError) -> Finding {
    let mend = match error {
        LiveError::Missing { .. } | LiveError::Gone { .. } => "sidewatch interfaces".to_owned(),
        LiveError::Down { interface } => format!("ip link set {interface} up"),
        LiveError::NotPermitted { .. } => {
            "run it as root (`sudo sidewatch doctor`), or give the program the capability: `setcap cap_net_raw+ep` and its path".to_owned()
        }
        LiveError::Filter { .. } => "correct `filter` in the settings; `tcpdump -d` and the filter shows how it is read".to_owned(),
        LiveError::Sharing { .. } => "set `threads = 1` in the settings".to_owned(),
        LiveError::Other { interface, .. } => format!("`tcpdump -ni {interface} -c 1` shows whether any program can watch it"),
    };
    Finding::wrong(error.to_string(), "the sensor sees nothing there", mend)
}

/// What was heard in `seconds`, with frames `lost` by the card in the meantime.
pub(super) fn heard(name: &str, heard: &Heard, lost: u64, seconds: u64) -> Vec<Finding> {
    const OTHER: &str = "`sidewatch interfaces` lists the others; on a switch check that this port is the mirror's target";
    let mut findings = Vec::new();
    if heard.frames == 0 {
        let why = "either it is the wrong interface, or nobody used the network";
        findings.push(Finding::wrong(format!("{name} carried nothing in {seconds} s"), why, OTHER));
    } else if heard.understood == 0 {
        let what = format!("{name} carried {} frames in {seconds} s, and none of them is IP that the sensor can read", heard.frames);
        findings.push(Finding::wrong(what, "what cannot be read cannot be judged", OTHER));
    } else if heard.flows == 0 {
        let what = format!("{name} carried {} frames in {seconds} s, but no TCP connection", heard.frames);
        let why = "a port without a mirror hears broadcasts only; if nobody used the network meanwhile, all is well";
        findings.push(Finding::wrong(what, why, OTHER));
    }
    if heard.judged >= ENOUGH_FLOWS && heard.one_sided * 2 > heard.judged {
        findings.push(Finding::wrong(
            format!("{} of {} TCP connections on {name} are heard in one direction only", heard.one_sided, heard.judged),
            "without the questions an answer cannot be judged, and without the answers nothing can be forged that one would see",
            "mirror both directions (\"rx and tx\", \"both\"), or watch the interface that the other direction takes as well",
        ));
    }
    if heard.kernel.dropped > 0 {
        findings.push(Finding::wrong(
            format!("{} of {} frames on {name} were dropped before they could be read", heard.kernel.dropped, heard.kernel.received),
            "a dropped packet may be the forged one, or the genuine one that gives it away",
            "raise `ring` and `threads` in [capture] of the settings; other programs on this machine may take the time",
        ));
    }
    if lost > 0 {
        findings.push(Finding::wrong(
            format!("the card of {name} lost {lost} frames in {seconds} s"),
            "they never reached the kernel",
            format!("ethtool -G {name} rx 4096   (`ethtool -g {name}` says how many it can)"),
        ));
    }
    if heard.parted {
        findings.push(Finding::note(
            format!("threads share {name} by connections, not by pairs of addresses: this kernel takes no program for it"),
            "answers to questions from several ports, and fragments, may be on several threads and are not compared then",
            "set `threads = 1` in [capture] of the settings, or use Linux 4.3 or later",
        ));
    }
    findings
}

/// The machine's clock.
pub(super) fn clock(state: ClockState) -> Option<Finding> {
    const WHY: &str = "alerts would bear wrong times, and could not be set beside logs of other machines";
    match state {
        ClockState::Held => None,
        ClockState::Loose => Some(Finding::wrong("the clock is not synchronised", WHY, "timedatectl set-ntp true")),
        ClockState::NeverSet => Some(Finding::wrong(
            "the clock says a time before this program was written",
            WHY,
            "apt install systemd-timesyncd && timedatectl set-ntp true",
        )),
        ClockState::Unknown => Some(Finding::note(
            "whether the clock is synchronised is not known: neither systemd nor chrony tells",
            WHY,
            "apt install systemd-timesyncd (or chrony)",
        )),
    }
}

/// Whether there is memory for what the settings ask, rings of `interfaces` included.
pub(super) fn memory(config: &Config, interfaces: usize, available: Option<u64>) -> Option<Finding> {
    let available = available?;
    let rings = config.capture.ring.saturating_mul(u64::from(config.capture.threads)).saturating_mul(interfaces as u64);
    let program = u64::from(config.memory) << 20;
    let mib = |bytes: u64| bytes >> 20;
    if rings > available {
        return Some(Finding::wrong(
            format!("the rings take {} MiB and {} MiB of memory are available", mib(rings), mib(available)),
            "the kernel gives smaller ones then, and takes memory from everything else",
            format!(
                "lower `ring` in [capture] of the settings; {interfaces} interfaces with {} threads have one each",
                config.capture.threads
            ),
        ));
    }
    (rings.saturating_add(program) > available).then(|| {
        Finding::wrong(
            format!(
                "the sensor may use {} MiB, {} of them rings, and {} MiB are available",
                mib(rings + program),
                mib(rings),
                mib(available)
            ),
            "the kernel ends programs when memory runs out, this one perhaps",
            "lower `memory` or `ring` in the settings; docs/small-gateways.md has values for machines of 512 MB",
        )
    })
}

/// Whether the database has room to grow to what the settings allow.
pub(super) fn disk(config: &Config, free: Option<u64>) -> Option<Finding> {
    let free = free?;
    let store = &config.store;
    let wanted = store.size.saturating_add(store.reserve);
    (free < wanted).then(|| {
        Finding::wrong(
            format!("{} MiB are free for {}, and the database may grow to {} MiB", free >> 20, store.folder.display(), wanted >> 20),
            "when the disk is full alerts wait in the reserve, and then in memory",
            format!("free some space (`du -xh {} | sort -h | tail`), or lower the size in [store] of the settings", store.folder.display()),
        )
    })
}

#[cfg(test)]
mod tests;
