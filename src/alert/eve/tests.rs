//! Readers of EVE find in the line what they know, and in the same shape.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::{How, Mechanism, samples};
use super::*;

/// Root keys that the line may have.
const ROOT: [&str; 30] = [
    "quic",
    "dhcp",
    "timestamp",
    "flow_id",
    "in_iface",
    "event_type",
    "vlan",
    "src_ip",
    "src_port",
    "dest_ip",
    "dest_port",
    "proto",
    "ip_v",
    "icmp_type",
    "icmp_code",
    "pkt_src",
    "ether",
    "direction",
    "community_id",
    "host",
    "app_proto",
    "capture_file",
    "alert",
    "http",
    "tls",
    "dns",
    "arp",
    "flow",
    "pcap_cnt",
    "pcap_filename",
];
const ALERT: [&str; 9] = ["action", "gid", "signature_id", "rev", "signature", "category", "severity", "metadata", "context"];

fn line(alert: &Alert, source: &SourceFacts) -> Value {
    let line = to_line(alert, source);
    assert!(!line.contains('\n'));
    serde_json::from_str(&line).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_man_on_the_side_is_written_as_eve_has_an_alert() {
    let line = line(&samples::on_path(), &samples::live());
    assert_eq!(line["timestamp"], "2026-11-24T12:00:01.004211+0000");
    assert_eq!(line["flow_id"], 1_676_750_115_612_680_u64);
    assert_eq!((&line["in_iface"], &line["host"]), (&json!("eth0"), &json!("gateway-1")));
    assert_eq!((&line["src_ip"], &line["src_port"]), (&json!("203.0.113.7"), &json!(80)));
    assert_eq!((&line["dest_ip"], &line["dest_port"]), (&json!("192.168.7.23"), &json!(50812)));
    assert_eq!((&line["proto"], &line["ip_v"], &line["direction"]), (&json!("TCP"), &json!(4), &json!("to_client")));
    assert_eq!((&line["pkt_src"], &line["app_proto"]), (&json!("wire/pcap"), &json!("http")));
    assert_eq!(line["community_id"], "1:F3K9GUwqdZ0g6pFWK5OEFpRp4S4=");
    assert_eq!(line["alert"]["signature"], "Sidewatch forged HTTP redirect, man on the side");
    assert_eq!(line["alert"]["signature_id"], 9_000_101);
    assert_eq!(
        line["alert"]["metadata"],
        json!({"confidence": ["High"], "mitre_technique_id": ["T1557"], "signature_severity": ["Major"]})
    );
    assert_eq!(
        line["http"],
        json!({"hostname": "news.example", "url": "/", "http_method": "GET", "protocol": "HTTP/1.1", "status": 302,
               "redirect": "http://x.example/", "length": 0})
    );
    assert_eq!(
        line["flow"],
        json!({"pkts_toserver": 4, "pkts_toclient": 5, "bytes_toserver": 420, "bytes_toclient": 1820,
               "start": "2026-11-24T12:00:00.910000+0000"})
    );
    assert!(line.get("pcap_cnt").is_none(), "a live frame has no number in a capture");
}

#[test]
fn what_is_ours_sits_under_injection() {
    let line = line(&samples::on_path(), &samples::replayed());
    let ours = &line["alert"]["context"]["injection"];
    assert_eq!((&ours["schema"], &ours["id"]), (&json!(1), &json!("1f0c9ab2c4d7e610")));
    assert_eq!((&ours["verdict"], &ours["mechanism"]), (&json!("on_path_injection"), &json!("http_redirect")));
    assert_eq!(ours["confidence"], 0.98);
    assert_eq!((&ours["signals"][0]["code"], &ours["signals"][0]["frames"]), (&json!("S1"), &json!([5, 10])));
    assert_eq!(ours["considered"][0]["kept"], false);
    assert_eq!((&ours["forged"]["frame"], &ours["forged"]["ip_id"]), (&json!(5), &json!(1)));
    assert_eq!((&ours["genuine"]["ttl"], &ours["genuine"]["frames"]), (&json!(54), &json!([10])));
    assert_eq!(ours["hops"], json!({"forged": 0, "genuine": 10}));
    assert_eq!(
        ours["redirect"],
        json!({"from": "http://news.example/", "to": "http://x.example/", "status": 302, "kind": "status", "cross_site": true,
               "followed": null})
    );
    assert_eq!((&ours["indicators"], &ours["evidence"]), (&json!([]), &Value::Null));
    assert_eq!(ours["closed"], json!({"at": "2026-11-24T12:00:04.004211+0000", "because": "deadline"}));
    assert_eq!(line["pcap_cnt"], 5);
    assert_eq!(line["pcap_filename"], "captures/office.pcap");
}

#[test]
fn the_same_alert_gives_the_same_line_and_keys_keep_their_order() {
    let line = to_line(&samples::ipv6_vlan(), &samples::replayed());
    assert_eq!(line, to_line(&samples::ipv6_vlan(), &samples::replayed()));
    let places = ROOT.iter().filter_map(|key| line.find(&format!("\"{key}\":"))).collect::<Vec<_>>();
    assert!(places.len() > 18 && places.is_sorted(), "{line}");
}

#[test]
fn a_genuine_answer_that_never_came_is_null() {
    let line = line(&samples::in_path(), &samples::replayed());
    let ours = &line["alert"]["context"]["injection"];
    assert_eq!((&ours["genuine"], &ours["hops"]["genuine"]), (&Value::Null, &Value::Null));
    assert_eq!(ours["forged"]["frames"], json!([7, 9]));
    assert_eq!(ours["closed"]["because"], "end_of_capture");
}

#[test]
fn ipv6_and_vlans_are_written_as_eve_has_them() {
    let line = line(&samples::ipv6_vlan(), &samples::replayed());
    assert_eq!((&line["ip_v"], &line["src_ip"]), (&json!(6), &json!("2001:db8:1::80")));
    assert_eq!(line["vlan"], json!([100, 42]));
    assert_eq!(line["ether"], json!({"src_mac": "02:00:00:00:00:80", "dest_mac": "02:00:00:00:00:07"}));
    assert_eq!(line["alert"]["context"]["injection"]["forged"]["ip_id"], Value::Null);
}

#[test]
fn what_the_site_did_is_filed_as_no_attack() {
    let line = line(&samples::endpoint_redirect(), &samples::replayed());
    assert_eq!((&line["alert"]["severity"], &line["alert"]["category"]), (&json!(3), &json!("Redirect by the site")));
    assert_eq!(line["alert"]["metadata"], json!({"confidence": ["Low"], "signature_severity": ["Informational"]}));
    assert!(line["http"].get("redirect").is_none(), "a meta refresh is no Location field");
}

#[test]
fn closed_records_hold_only_what_eve_knows() {
    let plain = |stamp: &Value| {
        let shape: String = stamp.as_str().unwrap().chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        shape == "9999-99-99T99:99:99.999999+9999"
    };
    for (name, alert) in samples::all() {
        for source in [samples::live(), samples::replayed(), SourceFacts::default()] {
            let line = line(&alert, &source);
            assert!(keys(&line).iter().all(|key| ROOT.contains(key)), "{name}: {:?}", keys(&line));
            assert!(keys(&line["alert"]).iter().all(|key| ALERT.contains(key)), "{name}");
            assert_eq!(keys(&line["alert"]["context"]), ["injection"], "{name}");
            assert!(plain(&line["timestamp"]) && line.get("flow").is_none_or(|flow| plain(&flow["start"])), "{name}");
        }
    }
}

#[test]
fn hostile_strings_are_cut_and_escaped_and_numbers_fit() {
    let mut alert = samples::on_path();
    let hostile = format!("\u{1b}[2J\r\n\"\u{0}\u{7f}\u{9b}31m\u{202e}\u{1f600}{}", "x".repeat(10_240));
    alert.redirect.as_mut().unwrap().to.clone_from(&hostile);
    alert.signals[0].observed.clone_from(&hostile);
    let http = alert.http.as_mut().unwrap();
    (http.user_agent, http.url, http.length) = (Some(hostile.clone()), Some(hostile), Some(u64::MAX));
    alert.confidence = f64::NAN;
    let text = to_line(&alert, &samples::replayed());
    assert!(text.chars().all(|c| matches!(c, ' '..='~')));
    let line: Value = serde_json::from_str(&text).unwrap();
    let kept = line["http"]["http_user_agent"].as_str().unwrap();
    assert!(kept.chars().count() == 512 && kept.starts_with("\u{1b}[2J\r\n\"\u{0}\u{7f}\u{9b}31m\u{202e}\u{1f600}xxx"));
    assert_eq!(line["http"]["length"], i64::MAX);
    assert_eq!(line["alert"]["context"]["injection"]["confidence"], 0.0);
    assert!(text.len() < 8_000, "{}", text.len());
}

#[test]
fn arp_has_neither_ports_nor_a_flow_but_suricatas_record_of_it() {
    let line = line(&samples::arp_spoof(), &samples::replayed());
    assert_eq!((&line["proto"], &line["src_ip"], &line["dest_ip"]), (&json!("ARP"), &json!("192.168.7.1"), &json!("192.168.7.23")));
    for absent in ["src_port", "dest_port", "ip_v", "flow", "community_id", "app_proto"] {
        assert!(line.get(absent).is_none(), "{absent}");
    }
    assert_eq!(
        line["arp"],
        json!({"hw_type": "ethernet", "proto_type": "ipv4", "opcode": "reply", "src_mac": "02:00:00:00:00:66", "src_ip": "192.168.7.1",
               "dest_mac": "02:00:00:00:00:07", "dest_ip": "192.168.7.23"})
    );
    let ours = &line["alert"]["context"]["injection"];
    assert_eq!((&ours["forged"]["ttl"], &ours["forged"]["flags"], &ours["hops"]["forged"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!((&ours["verdict"], &ours["mechanism"], &ours["genuine"]["frame"]), (&json!("local_mitm"), &json!("arp_spoof"), &json!(3)));
}

#[test]
fn icmp_has_type_and_code_and_udp_its_ports() {
    let mut alert = samples::dhcp_rogue();
    assert_eq!((&line(&alert, &samples::live())["src_port"], &line(&alert, &samples::live())["app_proto"]), (&json!(67), &json!("dhcp")));
    (alert.mechanism, alert.flow.carrier) = (Mechanism::RaRogue, Carrier::Icmpv6(134, 0));
    let line = line(&alert, &samples::live());
    assert_eq!((&line["proto"], &line["icmp_type"], &line["icmp_code"]), (&json!("IPv6-ICMP"), &json!(134), &json!(0)));
    assert!(line.get("src_port").is_none());
}

#[test]
fn what_a_rogue_server_gave_is_suricatas_record_of_dhcp() {
    let mut alert = samples::dhcp_rogue();
    assert_eq!(
        line(&alert, &samples::replayed())["dhcp"],
        json!({"type": "reply", "id": 0x3a1f_0017, "client_mac": "02:00:00:00:00:07", "assigned_ip": "192.168.7.150", "dhcp_type": "ack",
               "routers": ["192.168.7.66"], "dns_servers": ["192.168.7.66"]})
    );
    alert.flow.ip_version = 6;
    assert!(line(&alert, &samples::replayed()).get("dhcp").is_none(), "EVE has no record of DHCPv6");
}

fn followed() -> Alert {
    samples::all().into_iter().find(|(name, _)| *name == "followed").unwrap().1
}

#[test]
fn a_handshake_is_told_by_what_carries_it() {
    let mut alert = followed();
    let hellos = |alert: &Alert| ["tls", "quic"].map(|name| line(alert, &samples::replayed())[name]["sni"].clone());
    assert_eq!(hellos(&alert), [json!("x9q2.updates.test"), Value::Null]);
    if let Some(followed) = alert.redirect.as_mut().and_then(|redirect| redirect.followed.as_mut()) {
        followed.steps.iter_mut().filter(|step| step.how == How::TlsHello).for_each(|step| step.how = How::QuicHello);
    }
    assert_eq!(hellos(&alert), [Value::Null, json!("x9q2.updates.test")]);
}

#[test]
fn the_way_to_the_request_is_told_back_from_the_forged_packet() {
    let line = line(&followed(), &samples::replayed());
    let redirect = &line["alert"]["context"]["injection"]["redirect"];
    assert_eq!(redirect["wanted"], json!("frame"));
    assert_eq!(redirect["led_by"][0], json!({"how": "page", "url": "https://mail.example.net/"}));
    assert_eq!((&redirect["led_by"][2]["how"], &redirect["led_by"][2]["before"]), (&json!("redirected"), &json!(0.041_904)));
}

#[test]
fn hops_are_counted_from_the_nearest_start() {
    assert_eq!([64, 54, 65, 128, 129, 255, 0].map(hops), [0, 10, 63, 0, 126, 0, 64]);
}

/// The schema is Suricata's and no part of this project: it is looked for beside the project or where `EVE_SCHEMA` says.
#[test]
fn every_line_is_valid_by_suricatas_schema() {
    let path = std::env::var_os("EVE_SCHEMA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/design/eve-schema.json"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: no EVE schema at {}; set EVE_SCHEMA to Suricata's etc/schema.json to run this test", path.display());
        return;
    };
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut foreign = line(&samples::on_path(), &samples::live());
    foreign["injection"] = json!({});
    assert!(!validator.is_valid(&foreign), "the schema's root is closed");
    for (name, alert) in samples::all() {
        for source in [samples::live(), samples::replayed(), SourceFacts::default()] {
            let line = line(&alert, &source);
            let errors: Vec<String> = validator.iter_errors(&line).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
}

#[test]
fn dns_is_suricatas_record_of_the_forged_answer() {
    let line = line(&samples::dns::forged(), &samples::replayed());
    assert_eq!((&line["proto"], &line["app_proto"], &line["src_port"]), (&json!("UDP"), &json!("dns"), &json!(53)));
    let name = "news.\\027example";
    assert_eq!(
        line["dns"],
        json!({"version": 3, "type": "answer", "id": 6092, "flags": "8580", "qr": true, "aa": true, "tc": false, "rd": true, "ra": true,
               "opcode": 0, "rcode": "NOERROR", "queries": [{"rrname": name, "rrtype": "A"}],
               "answers": [{"rrname": name, "rrtype": "A", "ttl": 60, "rdata": "192.0.2.66"}]})
    );
    let ours = &line["alert"]["context"]["injection"];
    assert_eq!(
        (&ours["mechanism"], &ours["forged"]["frames"], &ours["genuine"]["frame"]),
        (&json!("dns_answer"), &json!([2, 3]), &json!(4))
    );
}
