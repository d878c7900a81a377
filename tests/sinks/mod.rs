//! Sinks against receivers that are not kind: what is committed arrives, in order, at least once, and each sink keeps its own pace.

mod cli;
mod receiver;
mod syslog;
mod tls;
mod webhook;

use std::path::Path;
use std::time::{Duration, Instant};

use sidewatch::config::{FileTarget, Filter, Secret, SinkSettings, StoreSettings, Target, Template, WebhookTarget};
use sidewatch::store::{Kind, Record, SinkState, Store};
use tempfile::TempDir;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database, and the runtime on which its sinks work.
struct Bench {
    folder: TempDir,
    store: Store,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            folder: folder.path().join("store"),
            keep: Duration::from_secs(86_400),
            size: 64 << 20,
            reserve: 1 << 20,
            storm: Duration::ZERO,
        };
        let store = Store::open(&settings, &[]).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { folder, store, runtime }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn commit(&self, numbers: std::ops::Range<u64>, sinks: &[SinkSettings]) {
        for number in numbers {
            self.store.commit(&[alert(number)], sinks).unwrap();
        }
    }

    fn state(&self, sink: &str) -> SinkState {
        self.store.sink_states().unwrap().into_iter().find(|state| state.sink == sink).unwrap_or_default()
    }

    fn wait_until_told(&self, sink: &str) {
        wait(&format!("{sink} has told all"), || self.state(sink).waiting == 0 && self.state(sink).last_success.is_some());
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5)); // the condition is what is waited for
    }
}

fn alert(number: u64) -> Record {
    let id = format!("{number:016x}");
    Record {
        eve: serde_json::json!({"event_type": "alert", "host": "gateway-1", "alert": {"context": {"injection": {"id": id}}}}).to_string(),
        storm_key: id.clone(),
        id,
        kind: Kind::Alert,
        at: 1_795_521_601_000_000 + i64::try_from(number).unwrap(),
        severity: 1,
        mechanism: "http_redirect".to_owned(),
        verdict: "on_path_injection".to_owned(),
        client: "192.168.7.23".to_owned(),
        server: "203.0.113.7".to_owned(),
        headline: "A forged redirect".to_owned(),
        explanation: "The answer was forged.".to_owned(),
    }
}

fn ids(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("{number:016x}")).collect()
}

fn sink(name: &str, target: Target) -> SinkSettings {
    SinkSettings { name: name.to_owned(), filter: Filter::default(), per_minute: None, heartbeat: false, target }
}

fn file(path: &Path) -> Target {
    Target::File(FileTarget { path: path.to_owned(), rotate_at: None, keep: 1 })
}

fn webhook(url: &str) -> WebhookTarget {
    WebhookTarget {
        url: url.to_owned(),
        template: Template::Standard,
        secrets: Vec::new(),
        token: None,
        ca: None,
        client: None,
        proxy: None,
        timeout: Duration::from_secs(1),
        fields: Vec::new(),
    }
}

fn hook(target: WebhookTarget) -> Target {
    Target::Webhook(Box::new(target))
}

fn secret(path: &Path, text: &str) -> Secret {
    std::fs::write(path, text).unwrap();
    Secret::File(path.to_owned())
}
