//! MISP attributes: which types name something that packets can show.

use super::entry::Wanted;
use super::gather::Gathering;

/// Takes what an attribute names. `to_ids` is MISP's mark of what is meant for detection.
pub(super) fn attribute(kind: &str, value: &str, to_ids: Option<bool>, (line, gathering): (u64, &mut Gathering)) {
    let Some(wanted) = wanted(kind) else {
        gathering.skip(kind);
        return;
    };
    if to_ids == Some(false) {
        gathering.skip(&format!("{kind} without to_ids"));
        return;
    }
    match (kind, value.split_once('|')) {
        ("domain|ip", Some((domain, ip))) => {
            gathering.take(domain, Wanted::Host, line);
            gathering.take(ip, Wanted::Address, line);
        }
        ("uri", _) if value.starts_with('/') => gathering.skip("uri without a host"),
        _ => gathering.take(value, wanted, line),
    }
}

/// The types of the network, by their names in MISP.
pub(super) fn wanted(kind: &str) -> Option<Wanted> {
    Some(match kind {
        "domain" | "hostname" | "domain|ip" | "hostname|port" => Wanted::Host,
        "url" | "uri" => Wanted::Url,
        "ip-src" | "ip-dst" | "ip-src|port" | "ip-dst|port" => Wanted::Address,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;
    use serde_json::json;

    #[test]
    fn attributes_of_the_network_are_taken_and_the_rest_is_counted() {
        let event = json!({"Event": {
            "info": "Lures of a campaign", "date": "2024-02-03",
            "Attribute": [
                {"type": "domain", "value": "evil.example", "to_ids": true},
                {"type": "hostname", "value": "www.other.example", "to_ids": true},
                {"type": "url", "value": "http://evil.example/a", "to_ids": true},
                {"type": "uri", "value": "/gate.php", "to_ids": true},
                {"type": "ip-dst", "value": "198.51.100.7", "to_ids": true},
                {"type": "ip-dst|port", "value": "198.51.100.8|443", "to_ids": true},
                {"type": "domain|ip", "value": "pair.example|2001:db8::9", "to_ids": true},
                {"type": "domain", "value": "harmless.example", "to_ids": false},
                {"type": "domain", "value": "gone.example", "to_ids": true, "deleted": true},
                {"type": "sha256", "value": "00", "to_ids": true}
            ],
            "Object": [{"name": "domain-ip", "Attribute": [{"type": "ip-src", "value": "198.51.100.9", "to_ids": true}]}]
        }});
        for text in [event.to_string(), json!([event]).to_string(), json!({"response": [event]}).to_string()] {
            let loaded = read_text("event.json", text.as_bytes());
            let tally = &loaded.tallies()[0];
            assert_eq!(loaded.complaints, []);
            assert_eq!(
                (tally.taken, tally.title.as_deref(), tally.date.as_deref()),
                ([3, 1, 3, 1], Some("Lures of a campaign"), Some("2024-02-03"))
            );
            let skipped: Vec<&str> = tally.skipped.keys().map(String::as_str).collect();
            assert_eq!(skipped, ["deleted", "domain without to_ids", "sha256", "uri without a host"]);
        }
    }
}
