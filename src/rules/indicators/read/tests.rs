//! Stories of files: forms, feeds, stores.

use super::*;
use crate::engine::decode::packet::Addr;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

#[test]
fn the_form_shows_in_name_and_beginning() {
    for (name, head, expected) in [
        ("a.stix2", "", Form::Json),
        ("a", "{\"type\": \"bundle\"}", Form::Json),
        ("a", "\u{feff}\n[ {", Form::Json),
        ("a", "[2001:db8::1]:443\n", Form::Plain),
        ("a.txt", "evil.example\n", Form::Plain),
        ("a.csv", "evil.example\n", Form::Columns(b',')),
        ("a", "# c\ndomain\tdate\nevil.example\t2024\n", Form::Columns(b'\t')),
        ("hosts", "127.0.0.1\tlocalhost\n", Form::Plain),
        ("a", "", Form::Plain),
    ] {
        assert_eq!(form(Path::new(name), head.as_bytes()), expected, "{name} {head}");
    }
}

#[test]
fn a_feed_is_its_manifest_and_the_events_beside_it() {
    let (here, gone) = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222");
    let event =
        r#"{"Event": {"info": "Lures", "date": "2024-02-03", "Attribute": [{"type": "domain", "value": "evil.example", "to_ids": true}]}}"#;
    let feed = folder(&[
        ("manifest.json", &format!(r#"{{"{here}": {{"info": "Lures"}}, "{gone}": {{"info": "Lost"}}}}"#)),
        (&format!("{here}.json"), event),
    ]);
    let loaded = load(&[feed.path().to_owned()]);
    assert_eq!(loaded.failures.len(), 1, "{:?}", loaded.failures);
    assert!(loaded.failures[0].to_string().contains(gone));
    let [hit] = loaded.indicators.match_host("www.evil.example").try_into().expect("one hit");
    assert_eq!((hit.value.as_str(), hit.list_date.as_deref()), ("evil.example", Some("2024-02-03")));
}

#[test]
fn a_store_gives_what_its_lists_gave() {
    let lists = folder(&[("a.txt", "evil[.]example\nevil.example\n198.51.100.0/24\nhttp://bad.example/x\n"), ("b.txt", "evil.example\n")]);
    let loaded = load(&[lists.path().to_owned()]);
    let store = lists.path().join("all.store");
    loaded.save(&store).expect("saved");
    let again = load(std::slice::from_ref(&store));
    assert!(again.failures.is_empty() && again.complaints.is_empty());
    assert_eq!(again.tallies(), loaded.tallies());
    assert_eq!((again.indicators.len(), again.tallies()[0].repeated), (4, 1));
    for indicators in [&loaded.indicators, &again.indicators] {
        let hits = indicators.match_host("x.evil.example");
        let told: Vec<(&str, &str)> = hits.iter().map(|hit| (hit.value.as_str(), hit.list.as_str())).collect();
        assert_eq!(told, [("evil[.]example", "a.txt"), ("evil.example", "b.txt")], "each list that names it, as it names it");
        assert_eq!(indicators.match_ip(Addr::v4([198, 51, 100, 200])).len(), 1);
        assert_eq!(indicators.match_url("http://bad.example/x/y").len(), 1);
    }
}

#[test]
fn a_damaged_store_is_refused_whatever_byte_it_is() {
    let lists = folder(&[("a.txt", "evil.example\n")]);
    let store = lists.path().join("all.store");
    load(&[lists.path().join("a.txt")]).save(&store).expect("saved");
    let whole = fs::read(&store).expect("bytes");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        assert!(Table::read(bytes, &store).is_err(), "byte {at}");
        assert!(Table::read(whole[..at].to_vec(), &store).is_err(), "cut at {at}");
    }
    let mut newer = whole;
    newer[7] = 2;
    let error = Table::read(newer, &store).expect_err("another version").to_string();
    assert!(error.contains("version 2") && error.contains("import the lists again"), "{error}");
}

#[test]
fn many_blocks_and_shared_names_are_all_found() {
    let names: Vec<String> = (0..3_000).map(|n| format!("n{n}.{}.example", n % 7)).collect();
    let loaded = read_text("many.txt", names.join("\n").as_bytes());
    assert_eq!(loaded.indicators.len(), 3_000);
    for name in &names {
        let hits = loaded.indicators.match_host(name);
        assert_eq!((hits.len(), hits[0].value.as_str()), (1, name.as_str()));
        assert_eq!(loaded.indicators.match_host(&format!("x{name}")), []);
    }
}

#[test]
fn a_cut_bundle_gives_what_came_before_and_says_where_it_ends() {
    let text = "{\"type\": \"bundle\", \"objects\": [\n{\"type\": \"indicator\", \"pattern\": \"[domain-name:value='evil.example']\"},\n{\"type\": \"ind";
    let loaded = read_text("a.stix2", text.as_bytes());
    assert_eq!(loaded.tallies()[0].taken[0], 1);
    assert!(loaded.failures[0].to_string().contains("line 3"), "{}", loaded.failures[0]);
    assert_eq!(read_text("a.json", b"{\"a\": 1}").failures.len(), 1, "JSON of another kind");
}
