//! The configuration as used: checked values, with no trace of how they were written.

mod file;
mod files;
mod measure;
mod sheet;
mod sinks;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Where the file of settings is, unless it is said otherwise.
pub const USUAL_PATH: &str = "/etc/sidewatch/sidewatch.toml";
/// Among the names of interfaces: those that carry traffic of others, chosen by the sensor. Physical ones that are up, unless they are ports of a
/// bridge or a bond; bridges and bonds that are up; no loopback, tunnels, containers' ends (`veth*`, `docker*`, `virbr*`).
pub const AUTO: &str = "auto";
/// Placeholders that fields of a generic webhook may hold.
pub const FIELDS: [&str; 13] =
    ["id", "kind", "time", "severity", "mechanism", "verdict", "client", "server", "headline", "explanation", "count", "sensor", "eve"];
/// Deliveries a minute at most to chats, which are read by people and refuse more (Slack and ntfy take one a second).
const PER_MINUTE_OF_CHATS: u32 = 60;

/// Everything that `sidewatch run` goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of this sensor in alerts (EVE's `host`).
    pub sensor: String,
    /// What is watched, and how.
    pub capture: Capture,
    /// Memory of the whole program, MiB.
    pub memory: u32,
    /// Files of rules and folders of them, beside the shipped ones.
    pub rules: Vec<PathBuf>,
    /// Lists of indicators.
    pub indicators: Vec<PathBuf>,
    /// Where alerts are kept.
    pub store: StoreSettings,
    /// To whom they are told.
    pub sinks: Vec<SinkSettings>,
    /// Where metrics are served; a loopback address.
    pub metrics: Option<SocketAddr>,
    /// When silence is a message.
    pub watch: Watch,
    /// How much the log says: a filter of `tracing` (`info`, `sidewatch=debug`).
    pub log: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sensor: host_name(),
            capture: Capture::default(),
            memory: 256,
            rules: Vec::new(),
            indicators: Vec::new(),
            store: StoreSettings::default(),
            sinks: SinkSettings::usual(),
            metrics: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9798))),
            watch: Watch::default(),
            log: "info".to_owned(),
        }
    }
}

/// The name of this machine, as far as a header of syslog can carry it.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_name = (1..=255).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name { name } else { "sidewatch".to_owned() }
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Names of interfaces, or globs (`eth*`); `any` for all; [`AUTO`] for those that the sensor chooses.
    pub interfaces: Vec<String>,
    /// Capture threads of each interface, 1 to 64.
    pub threads: u16,
    /// Bytes of a frame that are captured.
    pub snap_length: u32,
    /// Bytes of the kernel's ring of each thread.
    pub ring: u64,
    /// Whether frames for others are asked for.
    pub promiscuous: bool,
    /// A pcap filter that frames must pass, tags and tunnels in mind; none takes all.
    pub filter: Option<String>,
}

impl Default for Capture {
    fn default() -> Self {
        Self { interfaces: vec![AUTO.to_owned()], threads: 1, snap_length: 64 << 10, ring: 32 << 20, promiscuous: true, filter: None }
    }
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Folder of the database and its reserve file.
    pub folder: PathBuf,
    /// Delivered alerts older than this are removed.
    pub keep: Duration,
    /// Bytes of the database above which the oldest delivered alerts are removed.
    pub size: u64,
    /// Bytes of the reserve file that stands in when the disk is full.
    pub reserve: u64,
    /// Alerts of one kind, attacker and victim within this time are one alert whose count grows.
    pub storm: Duration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("/var/lib/sidewatch"),
            keep: Duration::from_secs(90 * 86_400),
            size: 1 << 30,
            reserve: 16 << 20,
            storm: Duration::from_secs(600),
        }
    }
}

/// When silence is a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Time between heartbeats, to sinks that want them; zero for none.
    pub heartbeat: Duration,
    /// A sensor is blind when traffic has stopped, drops have lasted, or one direction is missing for so long.
    pub blind_after: Duration,
    /// Share of frames dropped, in a thousand, above which drops count as lasting.
    pub drops_per_mille: u32,
}

impl Default for Watch {
    fn default() -> Self {
        Self { heartbeat: Duration::from_secs(3_600), blind_after: Duration::from_secs(300), drops_per_mille: 10 }
    }
}

/// One sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSettings {
    /// Its name, unique.
    pub name: String,
    /// What it takes.
    pub filter: Filter,
    /// Deliveries a minute at most; those above wait.
    pub per_minute: Option<u32>,
    /// Whether it is told of heartbeats.
    pub heartbeat: bool,
    /// Where it leads.
    pub target: Target,
}

impl SinkSettings {
    /// What is told without a word in the file: a file that other programs read alerts from, and the journal.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        let eve = FileTarget { path: PathBuf::from("/var/log/sidewatch/eve.json"), rotate_at: None, keep: FileTarget::KEPT };
        let sink =
            |name: &str, target| Self { name: name.to_owned(), filter: Filter::default(), per_minute: None, heartbeat: false, target };
        vec![sink("eve", Target::File(eve)), sink("journal", Target::Journald)]
    }
}

/// What a sink takes. An empty list takes everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The least loud severity that is taken, 1 to 3; 3 takes all.
    pub severity: u8,
    /// EVE names of mechanisms (`http_redirect`).
    pub mechanisms: Vec<String>,
    /// Networks of victims, as `10.0.0.0/8`.
    pub networks: Vec<String>,
}

impl Default for Filter {
    fn default() -> Self {
        Self { severity: 3, mechanisms: Vec::new(), networks: Vec::new() }
    }
}

/// Where a sink leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// EVE JSON lines in a file.
    File(FileTarget),
    /// HTTP.
    Webhook(Box<WebhookTarget>),
    /// The journal of systemd.
    Journald,
    /// RFC 5424.
    Syslog(SyslogTarget),
}

/// EVE JSON lines in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTarget {
    /// The file.
    pub path: PathBuf,
    /// Bytes after which it is rotated by the sink itself; none leaves that to logrotate.
    pub rotate_at: Option<u64>,
    /// Rotated files that are kept.
    pub keep: u32,
}

impl FileTarget {
    /// Rotated files that are kept when nothing is said.
    const KEPT: u32 = 8;
}

/// Where a secret comes from. Never from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// A file that only its owner can read.
    File(PathBuf),
    /// A credential of systemd (`LoadCredential=`), by its name.
    Credential(String),
}

/// HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// Where to.
    pub url: String,
    /// What is sent.
    pub template: Template,
    /// Secrets that bodies are signed with (Standard Webhooks), the newest first.
    pub secrets: Vec<Secret>,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// A PEM file of the only certificate authorities that are trusted; none trusts those of the system.
    pub ca: Option<PathBuf>,
    /// PEM files of a client certificate and its key.
    pub client: Option<(PathBuf, Secret)>,
    /// A proxy's URL.
    pub proxy: Option<String>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Fields of a generic body: name and text with `{placeholders}`.
    pub fields: Vec<(String, String)>,
}

/// The address of a chat's webhook is a secret, so of each only the host is shown.
impl std::fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = url::Url::parse(&self.url).ok();
        let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
        f.debug_struct("WebhookTarget").field("host", &host).field("template", &self.template).finish_non_exhaustive()
    }
}

impl WebhookTarget {
    /// How long an attempt may take when nothing is said (Standard Webhooks: 15 to 30 s).
    const TIMEOUT: Duration = Duration::from_secs(15);
}

/// Forms of a webhook's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// Standard Webhooks: type, timestamp, data (the alert's record).
    Standard,
    /// User's fields.
    Generic,
    /// Slack and Mattermost.
    Slack,
    /// Teams (Adaptive Card).
    Teams,
    /// ntfy.
    Ntfy,
    /// TheHive.
    TheHive,
    /// PagerDuty.
    PagerDuty,
}

/// RFC 5424.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogTarget {
    /// `host:port`.
    pub address: String,
    /// How it is carried.
    pub transport: Transport,
    /// PEM file of the certificate authorities that are trusted with TLS; none trusts those of the system.
    pub ca: Option<PathBuf>,
    /// CEF in place of EVE as the message.
    pub cef: bool,
    /// Facility, 0 to 23.
    pub facility: u8,
}

impl SyslogTarget {
    /// `local0`, when nothing is said.
    const FACILITY: u8 = 16;
}

/// How syslog is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// RFC 5426.
    Udp,
    /// RFC 6587, octet counting.
    Tcp,
    /// RFC 5425.
    Tls,
}
