//! Stories of the local network, message by message.

use proptest::prelude::*;

use super::*;
use crate::alert::{Mechanism, Verdict};
use crate::engine::decode::datagram::{Carrier, DatagramHead};
use crate::engine::local::{Claim, Manner};
use crate::engine::protocol::dhcp::Lease;
use crate::rules::pins::{Pin, Role};

const GATEWAY: Mac = [2, 0, 0, 0, 0, 1];
const DEVICE: Mac = [2, 0, 0, 0, 0, 7];
const OTHER: Mac = [2, 0, 0, 0, 9, 9];

fn ip(last: u8) -> Addr {
    Addr::v4([192, 0, 2, last])
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

/// `mac` says in ARP, to one or to all, that it has an address.
fn says(millis: i64, (address, mac): (u8, Mac), to: Option<(u8, Mac)>) -> Notice {
    let manner = if to.is_some() { Manner::Answering { overrides: true } } else { Manner::Announcing };
    let head = DatagramHead {
        carrier: Carrier::Arp,
        frame: millis as u64 + 1,
        time: at(millis),
        src: ip(address),
        dst: ip(to.map_or(address, |(to, _)| to)),
        src_port: 0,
        dst_port: 0,
        ttl: 0,
        ip_id: 0,
        df: false,
        ip_version: 4,
        ether: Some((mac, to.map_or([0xff; 6], |(_, to)| to))),
        vlans: Vlans::default(),
        tunnel: 0,
        payload_len: 28,
        wire_len: 60,
    };
    let claim = Claim { owner: Some((ip(address), mac)), asks: None, manner, operation: 2, target_mac: [0; 6] };
    Notice { head, message: Message::Claim(claim) }
}

/// The gateway's address may be at these machines.
fn pinned(machines: &[Mac]) -> Arc<Policy> {
    let mut policy = Policy::default();
    policy.pins.add(Pin { name: "office".to_owned(), vlan: None, machines: vec![(ip(1), machines.to_vec())], roles: Vec::new() });
    Arc::new(policy)
}

/// All alerts by a policy, and what is told at the end.
fn told_by(notices: &[Notice], policy: &Arc<Policy>) -> Vec<Alert> {
    let mut networks = LocalNetworks::new(&Limits::default());
    networks.exchange(policy);
    let mut alerts = Vec::new();
    for notice in notices {
        alerts.extend(networks.tick(notice.head.time));
        networks.take(notice, notice.head.time);
    }
    alerts.extend(networks.finish(notices.last().map_or_else(|| at(0), |notice| notice.head.time)));
    alerts
}

#[test]
fn who_was_there_first_is_found_when_a_pin_names_another() {
    let story = [says(0, (1, OTHER), None), says(1000, (1, GATEWAY), None)];
    assert!(told_by(&story, &Arc::default()).is_empty(), "the second one looks like a replaced card");
    let alerts = told_by(&story, &pinned(&[GATEWAY]));
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.severity, alert.forged_frames.as_slice(), alert.score), (1, &[1][..], 85), "the gateway objects");
    assert_eq!(alert.genuine.as_ref().map(|genuine| genuine.frame), Some(1001));
}

#[test]
fn a_machine_that_is_newer_than_the_pin_wakes_somebody_but_not_everybody() {
    let story: Vec<Notice> = (0..5).map(|n| says(n * 1000, (1, OTHER), None)).collect();
    let alerts = told_by(&story, &pinned(&[GATEWAY]));
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.severity, alert.verdict), (2, Verdict::LocalMitm));
    let kept: Vec<&str> = alert.considered.iter().filter(|other| other.kept).map(|other| other.explanation).collect();
    assert_eq!(kept, ["replaced machine or card", "two machines with the same address by mistake"]);
}

#[test]
fn what_is_suspected_is_forgotten_when_a_pin_that_names_it_takes_force() {
    let story: Vec<Notice> =
        [says(0, (1, GATEWAY), None)].into_iter().chain((1..4).map(|n| says(n * 1000, (1, OTHER), Some((7, DEVICE))))).collect();
    let run = |then: &Arc<Policy>| {
        let mut networks = LocalNetworks::new(&Limits::default());
        for notice in &story {
            assert!(networks.tick(notice.head.time).is_empty());
            networks.take(notice, notice.head.time);
        }
        networks.exchange(then);
        let bent = networks.is_bent(Vlans::default(), ip(7), at(4000));
        (bent, networks.finish(at(4000)).len())
    };
    assert_eq!(run(&Arc::default()), (true, 1));
    assert_eq!(run(&pinned(&[GATEWAY, OTHER])), (false, 0));
    assert_eq!(run(&pinned(&[GATEWAY])), (true, 1));
}

#[test]
fn another_machine_in_the_name_of_a_pinned_server_is_still_found() {
    let policy = {
        let mut policy = Policy::default();
        let roles = [1, 2].map(|last| (Role::Dhcp, ip(last))).to_vec();
        policy.pins.add(Pin { name: "office".to_owned(), vlan: None, machines: Vec::new(), roles });
        Arc::new(policy)
    };
    let story = |imposter: Mac| {
        [gives(0, (1, GATEWAY), 1), gives(1000, (2, DEVICE), 2), gives(2000, (2, imposter), 9), gives(2001, (2, DEVICE), 2)]
    };
    let alerts = told_by(&story(OTHER), &policy);
    let [alert] = alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((alert.mechanism, alert.severity, alert.forged_frames.as_slice()), (Mechanism::DhcpRogue, 2, &[2001][..]));
    assert!(told_by(&story(DEVICE), &policy).is_empty(), "it changes what it gives");
}

/// A server gives a lease with this server of DNS.
fn gives(millis: i64, (server, mac): (u8, Mac), dns: u8) -> Notice {
    let mut notice = says(millis, (server, mac), Some((7, DEVICE)));
    notice.head.carrier = Carrier::Udp;
    let lease = Lease {
        granted: true,
        transaction: millis as u32,
        server: vec![192, 0, 2, server],
        client: Some(DEVICE),
        address: Some(ip(7)),
        routers: vec![ip(1)],
        dns: vec![ip(dns)],
        portal: None,
        relayed: false,
    };
    Notice { message: Message::Lease(lease), ..notice }
}

/// All alerts, the clock ticking at every message.
fn told(notices: &[Notice], limits: &Limits) -> (Vec<Alert>, LocalNetworks) {
    let mut networks = LocalNetworks::new(limits);
    let mut alerts = Vec::new();
    for notice in notices {
        alerts.extend(networks.tick(notice.head.time));
        networks.take(notice, notice.head.time);
    }
    (alerts, networks)
}

#[test]
fn a_suspicion_is_told_ten_seconds_after_its_first_evidence_and_again_when_it_became_worse() {
    let mut story = vec![says(0, (1, GATEWAY), None)];
    for second in 1..60 {
        story.push(says(second * 1000, (1, OTHER), Some((7, DEVICE))));
        if second > 30 {
            story.push(says(second * 1000 + 1, (1, GATEWAY), None));
        }
    }
    let (alerts, mut networks) = told(&story, &Limits::default());
    let seen: Vec<(u8, Verdict, Timestamp)> = alerts.iter().map(|alert| (alert.severity, alert.verdict, alert.closed_at)).collect();
    assert_eq!(seen, [(2, Verdict::LocalMitm, at(11_000)), (1, Verdict::LocalMitm, at(31_001))]);
    assert_eq!((alerts[0].forged.frame, alerts[0].mechanism), (1001, Mechanism::ArpSpoof));
    assert_ne!(alerts[0].id, alerts[1].id);
    assert!(networks.finish(at(60_000)).is_empty(), "all was told");
}

#[test]
fn a_path_stays_bent_for_ten_minutes_and_for_those_whom_it_concerns() {
    let story = [says(0, (1, GATEWAY), None), says(1000, (1, OTHER), Some((7, DEVICE))), says(2000, (1, OTHER), Some((7, DEVICE)))];
    let again = [story.as_slice(), &[says(3000, (1, OTHER), Some((7, DEVICE)))]].concat();
    let (_, networks) = told(&again, &Limits::default());
    let bent = |last, millis| networks.is_bent(Vlans::default(), ip(last), at(millis));
    assert_eq!([bent(7, 4000), bent(8, 4000), bent(7, 603_000), bent(7, 603_001)], [true, false, true, false]);
    let (_, networks) = told(&story[..2], &Limits::default());
    assert!(!networks.is_bent(Vlans::default(), ip(7), at(4000)), "too little to tell of");
}

#[test]
fn a_flood_of_claims_keeps_within_its_bounds_and_says_so() {
    let limits = Limits { local_addresses: 100, local_suspects: 4, ..Limits::default() };
    let flood: Vec<Notice> = (0..2_000_u32)
        .map(|n| {
            let [.., high, low] = n.to_be_bytes();
            says(i64::from(n), (low, [2, 5, 5, 5, high, low]), Some((7, DEVICE)))
        })
        .collect();
    let (_, networks) = told(&flood, &limits);
    let (addresses, suspects) = networks.evicted();
    assert!(addresses > 100 && suspects == 1_996, "{addresses} {suspects}");
    assert!(networks.claimers.iter().count() <= 4);
}

#[test]
fn who_is_pushed_out_by_a_flood_is_told_of_first() {
    let limits = Limits { local_suspects: 2, ..Limits::default() };
    let mut story = vec![says(0, (1, GATEWAY), None)];
    story.extend((1..4).map(|n| says(n, (1, OTHER), Some((7, DEVICE)))));
    story.extend((4..8).map(|n| says(n, (n as u8 + 20, [2, 5, 5, 5, 5, n as u8]), Some((7, DEVICE)))));
    let (alerts, _) = told(&story, &limits);
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].severity, alerts[0].forged_frames.as_slice()), (2, &[2, 3, 4][..]));
}

proptest! {
    #[test]
    fn nothing_is_told_of_claims_to_addresses_of_ones_own(claims in prop::collection::vec((0..5_000_i64, 0..20_u8, any::<bool>()), 0..200)) {
        let mut times: Vec<i64> = claims.iter().map(|(millis, ..)| *millis).collect();
        times.sort_unstable();
        let story: Vec<Notice> = times
            .iter()
            .zip(&claims)
            .map(|(millis, (_, who, to_one))| says(*millis, (*who, [2, 0, 0, 0, 1, *who]), to_one.then_some((100, DEVICE))))
            .collect();
        let (alerts, mut networks) = told(&story, &Limits::default());
        let all: Vec<Alert> = alerts.into_iter().chain(networks.finish(at(6_000))).collect();
        prop_assert!(all.is_empty(), "{:?}", all);
    }

    #[test]
    fn nothing_is_told_of_what_a_pin_names(claims in prop::collection::vec((0..3_000_i64, 0..3_usize, prop::option::of(0..4_u8)), 0..100)) {
        let halves = [GATEWAY, OTHER, [0, 0, 0x5e, 0, 1, 7]];
        let mut millis = 0;
        let mut story = Vec::new();
        for (after, half, to) in claims {
            millis += after;
            story.push(says(millis, (1, halves[half]), to.map(|to| (to + 20, DEVICE))));
        }
        let alerts = told_by(&story, &pinned(&halves));
        prop_assert!(alerts.is_empty(), "{:?}", alerts);
    }

    #[test]
    fn it_does_not_matter_when_the_clock_is_looked_at(
        claims in prop::collection::vec((1..3_000_i64, 0..4_u8, 0..4_u8, prop::option::of(0..4_u8)), 1..80),
        looks in prop::collection::vec(any::<bool>(), 80),
    ) {
        let mut millis = 0;
        let mut story = Vec::new();
        for (after, address, who, to) in &claims {
            millis += after;
            let to = to.map(|to| (to, [2, 0, 0, 0, 2, to]));
            story.push(says(millis, (*address, [2, 0, 0, 0, 2, *who]), to));
        }
        let run = |extra: bool| {
            let mut networks = LocalNetworks::new(&Limits::default());
            let mut ids = Vec::new();
            for (notice, look) in story.iter().zip(looks.iter().cycle()) {
                if extra && *look {
                    ids.extend(networks.tick(notice.head.time - crate::engine::time::Span::from_nanos(1)));
                }
                ids.extend(networks.tick(notice.head.time));
                networks.take(notice, notice.head.time);
            }
            ids.extend(networks.finish(at(millis)));
            ids.into_iter().map(|alert| (alert.closed_at, alert.id, alert.severity)).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(true), run(false));
    }
}
