//! What each form makes of a hostile alert and of events.

use serde_json::{Value, json};

use super::*;
use crate::config::{FIELDS, SyslogTarget, Transport};

/// What an attacker would like a person to press, or a program to obey.
const HOSTILE: &str =
    "see http://evil.example/<x>&y @channel [here](//evil.example) a|b=c\\d\"]\r\n<13>1 fake\u{1b}[31m\u{202e}*bold* {id}";

fn record(kind: Kind) -> Record {
    Record {
        id: "1f0c9ab2c4d7e610".to_owned(),
        kind,
        at: 1_795_521_601_004_211,
        severity: 1,
        mechanism: "http_redirect".to_owned(),
        verdict: "on_path_injection".to_owned(),
        client: "192.168.7.23".to_owned(),
        server: "203.0.113.7".to_owned(),
        headline: format!("A forged redirect, {HOSTILE}"),
        explanation: format!("The answer was forged: {HOSTILE}"),
        storm_key: String::new(),
        eve: json!({
            "timestamp": "2026-11-24T12:00:01.004211+0000", "event_type": "alert", "host": "gateway-1",
            "alert": {"severity": 1, "context": {"injection": {"id": "1f0c9ab2c4d7e610", "explanation": HOSTILE}}},
        })
        .to_string(),
    }
}

fn delivery(kind: Kind) -> Delivery {
    Delivery { row: 1, record: record(kind), attempts: 0, count: 1, told: 1 }
}

fn target(template: Template) -> WebhookTarget {
    WebhookTarget {
        url: "https://receiver.example/base/alerts".to_owned(),
        template,
        secrets: Vec::new(),
        token: None,
        ca: None,
        client: None,
        proxy: None,
        timeout: std::time::Duration::from_secs(15),
        fields: vec![("content".to_owned(), "{severity} {headline} {nonsense} {".to_owned()), ("who".to_owned(), "{client}".to_owned())],
    }
}

fn bodies(kind: Kind) -> Vec<(Template, String)> {
    let all =
        [Template::Standard, Template::Generic, Template::Slack, Template::Teams, Template::Ntfy, Template::TheHive, Template::PagerDuty];
    let delivery = delivery(kind);
    all.into_iter().map(|template| (template, body(&target(template), &Told::new(&delivery), Some(b"R0UT1NG")))).collect()
}

fn rendered(template: Template) -> Value {
    let body = bodies(Kind::Alert).into_iter().find(|(other, _)| *other == template).unwrap().1;
    serde_json::from_str(&body).unwrap()
}

#[test]
fn every_form_of_every_kind_is_json_on_one_line_of_ascii_below_twenty_kilobytes() {
    for kind in [Kind::Alert, Kind::Heartbeat, Kind::Blind, Kind::Seeing, Kind::Test] {
        for (template, body) in bodies(kind) {
            assert!(body.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && body.len() < 20_000, "{template:?}");
            assert!(serde_json::from_str::<Value>(&body).unwrap().is_object(), "{template:?}");
        }
    }
}

#[test]
fn nothing_in_texts_for_people_can_be_pressed_or_calls_anybody() {
    for (template, body) in bodies(Kind::Alert).into_iter().filter(|(template, _)| *template != Template::Standard) {
        let body = body.replace("http://adaptivecards.io/schemas/adaptive-card.json", "");
        for bait in ["http://", "evil.example", "@channel", "](", "\\u001b", "\\u202e", "\\n<13>"] {
            assert!(!body.contains(bait), "{template:?} has {bait}: {body}");
        }
    }
}

#[test]
fn standard_webhooks_get_the_record_as_it_is() {
    let body = rendered(Template::Standard);
    assert_eq!((&body["type"], &body["timestamp"]), (&json!("sidewatch.alert"), &json!("2026-11-24T12:00:01.004211Z")));
    assert_eq!(body["data"], serde_json::from_str::<Value>(&record(Kind::Alert).eve).unwrap());
}

#[test]
fn slack_reads_its_three_marks_as_text() {
    let body = rendered(Template::Slack);
    let text = body["text"].as_str().unwrap();
    assert!(text.contains("hxxp://evil[.]example/&lt;x&gt;&amp;y [at]channel"), "{text}");
    assert!(!text.contains('<') && body["mrkdwn"] == json!(false) && body["attachments"][0]["mrkdwn_in"] == json!([]));
    assert_eq!(body["attachments"][0]["color"], "#c62828");
    assert_eq!(body["attachments"][0]["fields"][0], json!({"title": "Device", "value": "192.168.7.23", "short": true}));
}

#[test]
fn teams_gets_a_card_of_runs_in_which_no_markdown_is_read() {
    let body = rendered(Template::Teams);
    let card = &body["attachments"][0];
    assert_eq!((&body["type"], &card["contentType"]), (&json!("message"), &json!("application/vnd.microsoft.card.adaptive")));
    for block in card["content"]["body"].as_array().unwrap() {
        assert_eq!(block["type"], "RichTextBlock");
        assert!(block["inlines"].as_array().unwrap().iter().all(|run| run["type"] == "TextRun"));
    }
    assert_eq!(card["content"]["body"][0]["inlines"][0]["color"], "Attention");
}

#[test]
fn ntfy_is_told_at_its_root_with_the_topic_of_the_address() {
    let body = rendered(Template::Ntfy);
    assert_eq!((&body["topic"], &body["priority"], &body["tags"]), (&json!("alerts"), &json!(5), &json!(["rotating_light"])));
    let root = |url: &str| ntfy::root(&url.parse().unwrap()).to_string();
    assert_eq!(root("https://ntfy.example/base/alerts"), "https://ntfy.example/base");
    assert_eq!(root("https://ntfy.example/alerts/"), "https://ntfy.example/");
}

#[test]
fn thehive_knows_an_alert_again_and_reads_no_markdown_of_an_attacker() {
    let body = rendered(Template::TheHive);
    assert_eq!(
        (&body["type"], &body["source"], &body["sourceRef"]),
        (&json!("sidewatch-alert"), &json!("gateway-1"), &json!("1f0c9ab2c4d7e610"))
    );
    assert_eq!((&body["severity"], &body["date"]), (&json!(3), &json!(1_795_521_601_004_i64)));
    assert!(body["description"].as_str().unwrap().contains(r"\*bold\* \{id\}"), "{}", body["description"]);
    assert_eq!(body["observables"][0], json!({"dataType": "ip", "data": "192.168.7.23", "message": "device"}));
}

#[test]
fn pagerduty_has_one_incident_an_alert_and_sight_resolves_blindness() {
    let of = |kind| serde_json::from_str::<Value>(&bodies(kind).pop().unwrap().1).unwrap();
    let alert = of(Kind::Alert);
    assert_eq!(
        (&alert["routing_key"], &alert["event_action"], &alert["dedup_key"]),
        (&json!("R0UT1NG"), &json!("trigger"), &json!("1f0c9ab2c4d7e610"))
    );
    assert_eq!((&alert["payload"]["severity"], &alert["payload"]["source"]), (&json!("critical"), &json!("gateway-1")));
    let (blind, seeing) = (of(Kind::Blind), of(Kind::Seeing));
    assert_eq!((&blind["event_action"], &seeing["event_action"]), (&json!("trigger"), &json!("resolve")));
    assert_eq!(blind["dedup_key"], seeing["dedup_key"]);
}

#[test]
fn fields_of_the_user_are_filled_once_and_what_is_put_in_is_not_read_again() {
    let body = rendered(Template::Generic);
    let text = body["content"].as_str().unwrap();
    assert!(text.starts_with("1 A forged redirect") && text.ends_with("*bold* {id} {nonsense} {"), "{text}");
    assert_eq!(body["who"], "192.168.7.23");
    for name in FIELDS {
        let fields = vec![("x".to_owned(), format!("{{{name}}}"))];
        let body = body_of(&fields);
        assert!(!body.contains(&format!("\"{{{name}}}\"")), "{name} is not filled: {body}");
    }
}

fn body_of(fields: &[(String, String)]) -> String {
    let delivery = delivery(Kind::Alert);
    body(&WebhookTarget { fields: fields.to_vec(), ..target(Template::Generic) }, &Told::new(&delivery), None)
}

#[test]
fn a_line_of_cef_has_seven_bars_and_no_key_of_an_attacker() {
    let delivery = delivery(Kind::Alert);
    let line = cef::line(&Told::new(&delivery));
    let bare = line.replace("\\\\", "").replace("\\|", "").replace("\\=", "");
    assert_eq!(bare.matches('|').count(), 7 + 1, "one bar is in the last value, where it stands for itself: {line}");
    assert!(line.starts_with("CEF:0|Sidewatch|Sidewatch|") && line.contains("|http_redirect|A forged redirect"), "{line}");
    assert!(line.contains(r"a\|b") && line.contains(r"b\=c\\d") && !line.contains('\n'), "{line}");
    assert!(line.contains(" src=203.0.113.7 dst=192.168.7.23 "), "{line}");
}

#[test]
fn a_message_of_syslog_is_what_rfc_5424_describes_and_fits() {
    let delivery = delivery(Kind::Alert);
    for (cef, most) in [(false, 8000), (true, 8000), (false, 700)] {
        let target = SyslogTarget { address: String::new(), transport: Transport::Tcp, ca: None, cef, facility: 16 };
        let message = syslog::message(&target, &Told::new(&delivery), most);
        assert!(message.len() <= most && !message.contains('\n'), "{message}");
        let mut words = message.splitn(7, ' ');
        assert_eq!(words.next(), Some("<130>1"));
        assert_eq!(words.next(), Some("2026-11-24T12:00:01.004211Z"));
        assert_eq!((words.next(), words.next()), (Some("gateway-1"), Some("sidewatch")));
        assert!(words.next().unwrap().parse::<u32>().is_ok());
        assert_eq!(words.next(), Some("alert"));
        let (data, text) = words.next().unwrap().split_once("] ").unwrap();
        assert!(data.starts_with("[sidewatch@32473 id=\"1f0c9ab2c4d7e610\" kind=\"alert\" severity=\"1\""), "{data}");
        assert_eq!(text.starts_with("CEF:0|"), cef);
        assert!(cef || serde_json::from_str::<Value>(text).is_ok(), "{text}");
    }
}

#[test]
fn values_of_structured_data_cannot_end_their_element() {
    let mut delivery = delivery(Kind::Alert);
    delivery.record.client = "a\"b]c\\d\ne".to_owned();
    let target = SyslogTarget { address: String::new(), transport: Transport::Udp, ca: None, cef: false, facility: 1 };
    let message = syslog::message(&target, &Told::new(&delivery), 2048);
    assert!(message.contains(r#" client="a\"b\]c\\d e""#), "{message}");
}

#[test]
fn an_entry_of_the_journal_has_its_fields_and_a_text_on_one_line() {
    let delivery = delivery(Kind::Blind);
    let entry = journal::entry(&Told::new(&delivery));
    assert_eq!(entry.priority, 2);
    assert!(entry.message.starts_with("A forged redirect") && !entry.message.contains(['\n', '\u{1b}']), "{}", entry.message);
    let field = |name: &str| entry.fields.iter().find(|(other, _)| *other == name).map(|(_, text)| text.as_str());
    assert_eq!((field("SIDEWATCH_ID"), field("SIDEWATCH_KIND")), (Some("1f0c9ab2c4d7e610"), Some("blind")));
    assert_eq!(field("SIDEWATCH_EVE"), Some(delivery.record.eve.as_str()));
}

#[test]
fn a_record_that_is_too_large_loses_frames_first_and_its_explanation_last() {
    let mut eve: Value = serde_json::from_str(&record(Kind::Alert).eve).unwrap();
    let injection = &mut eve["alert"]["context"]["injection"];
    injection["forged"] = json!({"frames": (0..2000).collect::<Vec<u32>>(), "payload_sha256": "ab"});
    injection["signals"] = json!(vec![json!({"code": "S1", "observed": "x".repeat(512)}); 3]);
    let less: Value = serde_json::from_str(&eve::fitted(&eve, 4000)).unwrap();
    assert_eq!(less["alert"]["context"]["injection"]["forged"]["frames"], json!([0, 1, 2, 3]));
    assert_eq!(less["alert"]["context"]["injection"]["signals"].as_array().unwrap().len(), 3);
    assert_eq!(less["alert"]["context"]["injection"]["truncated"], true);
    let least: Value = serde_json::from_str(&eve::fitted(&eve, 500)).unwrap();
    assert_eq!(least["alert"]["context"]["injection"]["id"], "1f0c9ab2c4d7e610");
    assert!(
        least["alert"]["context"]["injection"].get("signals").is_none()
            && least["alert"]["context"]["injection"]["explanation"].is_string()
    );
}

#[test]
fn the_largest_record_fits_every_form() {
    let mut eve: Value = serde_json::from_str(&record(Kind::Alert).eve).unwrap();
    for key in ["signature", "category"] {
        eve["alert"][key] = json!("\u{1f41f}".repeat(5_000));
    }
    eve["alert"]["context"]["injection"]["signals"] = json!(vec![json!({"observed": "\u{7f}".repeat(512), "frames": vec![1; 64]}); 64]);
    eve["http"] = json!({"url": "\u{e9}".repeat(40_000)});
    let mut delivery = delivery(Kind::Alert);
    delivery.record.eve = eve.to_string();
    delivery.record.headline = "\u{1f41f}".repeat(9_000);
    delivery.record.explanation = "\u{1f41f}".repeat(9_000);
    for template in [Template::Standard, Template::Slack, Template::Teams, Template::Ntfy, Template::TheHive, Template::PagerDuty] {
        let body = body(&target(template), &Told::new(&delivery), None);
        assert!(body.len() < 20_000, "{template:?}: {} bytes", body.len());
        assert!(serde_json::from_str::<Value>(&body).is_ok());
    }
    let target = SyslogTarget { address: String::new(), transport: Transport::Udp, ca: None, cef: false, facility: 16 };
    assert!(syslog::message(&target, &Told::new(&delivery), 2048).len() <= 2048);
}

#[test]
fn an_alert_told_again_as_its_storm_grew_is_known_by_another_key_and_says_how_many() {
    let delivery = Delivery { count: 100, told: 100, ..delivery(Kind::Alert) };
    let told = Told::new(&delivery);
    assert_eq!((told.key.as_str(), told.record.id.as_str()), ("1f0c9ab2c4d7e610-100", "1f0c9ab2c4d7e610"));
    assert!(told.headline().ends_with("(100 times)"));
}
