//! The file of settings as written: each table and key, its bounds, and what is said of a mistake. Sinks are beside it.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::sheet::{Checked, Section, Sheet, boolean, duration, flaw, number, path, quoted, size, text, word};
use super::{AUTO, Capture, Config, Secret, StoreSettings, Watch, sinks};
use crate::rules::Diagnostic;
use crate::rules::diagnosis::Page;

/// Complaints of a file that is no TOML; the rest follows from the first ones.
const MOST_ERRORS: usize = 20;
/// Interfaces, rules or lists that are named one by one.
const MOST_NAMES: usize = 256;
/// Bytes of an interface's name (IFNAMSIZ of Linux, its final zero left out).
const LONGEST_INTERFACE: usize = 15;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// A file that a setting names.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) what: NamedAs,
    pub(super) span: Range<usize>,
}

/// What a named file is to be.
#[derive(Debug)]
pub(super) enum NamedAs {
    /// A file or a folder: rules, lists.
    Path(&'static str, PathBuf),
    /// A file that others may read: certificates.
    File(&'static str, PathBuf),
    /// What nobody else may read.
    Secret(Secret),
    /// What nobody else may read, and holds the URL of a sink (by its place in the list).
    Url(Secret, usize),
}

/// A file as it was read: the settings, the files that they name, what is wrong.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) config: Config,
    pub(super) named: Vec<Named>,
    pub(super) wrong: Vec<Diagnostic>,
}

/// Reads the text of a file of settings. Nothing of the world is looked at, but for the name of the machine.
pub(super) fn parse(page: Page<'_>) -> Written {
    let (table, errors) = DeTable::parse_recoverable(page.text);
    let mut written = Written { config: Config::default(), named: Vec::new(), wrong: Vec::new() };
    // Where the form is broken, what the tables say is guesswork.
    if !errors.is_empty() {
        written.wrong = errors.iter().take(MOST_ERRORS).map(|error| page.of(error, &(0..0))).collect();
        return written;
    }
    let mut sheet = Sheet::new(page);
    let mut root = Section::new(0..0, table.into_inner());
    top(&mut sheet, &mut root, &mut written);
    let mut section = root.section(&mut sheet, "capture");
    capture(&mut sheet, &mut section, &mut written.config.capture);
    section.end(&mut sheet, "in [capture]");
    let mut section = root.section(&mut sheet, "store");
    store(&mut sheet, &mut section, &mut written.config.store);
    section.end(&mut sheet, "in [store]");
    let mut section = root.section(&mut sheet, "watch");
    watch(&mut sheet, &mut section, &mut written.config.watch);
    section.end(&mut sheet, "in [watch]");
    if let Some(sections) = root.sections(&mut sheet, "sink") {
        written.config.sinks = sinks::read(&mut sheet, sections, &mut written.named);
    }
    root.end(&mut sheet, "at the top of the file");
    written.wrong = sheet.wrong;
    written.wrong.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    written
}

/// Puts a value in the place of the default, if it is there.
fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn top(sheet: &mut Sheet<'_>, root: &mut Section<'_>, written: &mut Written) {
    let config = &mut written.config;
    set(&mut config.sensor, root.read(sheet, "sensor", sensor).flatten());
    let memory = root.read(sheet, "memory", size(64 << 20..=64 << 30));
    set(&mut config.memory, memory.and_then(|bytes| u32::try_from(bytes >> 20).ok()));
    set(&mut config.metrics, root.read(sheet, "metrics", metrics));
    set(&mut config.log, root.read(sheet, "log", log));
    for (key, place) in [("rules", &mut config.rules), ("indicators", &mut config.indicators)] {
        if let Some(paths) = root.list(sheet, key, path) {
            too_many(sheet, key, paths.get(MOST_NAMES).map(|(_, span)| span));
            place.clone_from(&paths.iter().map(|(path, _)| path.clone()).collect());
            written.named.extend(paths.into_iter().map(|(path, span)| Named { what: NamedAs::Path(key, path), span }));
        }
    }
}

fn too_many(sheet: &mut Sheet<'_>, key: &str, first: Option<&Range<usize>>) {
    if let Some(span) = first {
        let what = format!("`{key}` names more than {MOST_NAMES}");
        sheet.complain(span, super::sheet::Flaw { what, fix: "name folders, or write a glob as eth*".to_owned() });
    }
}

/// A name that a log line and a syslog header can carry (RFC 5424 gives 255 printable bytes); empty for the machine's own.
fn sensor(value: &DeValue<'_>) -> Checked<Option<String>> {
    let name = text(value)?;
    if name.is_empty() {
        return Ok(None);
    }
    let is_name = name.len() <= 255 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_name {
        Ok(Some(name))
    } else {
        flaw("is a name of at most 255 letters, digits and marks without spaces", "write it as gateway-1")
    }
}

fn metrics(value: &DeValue<'_>) -> Checked<Option<SocketAddr>> {
    let written = text(value)?;
    if written == "off" {
        return Ok(None);
    }
    let fix = "write 127.0.0.1:9798 or [::1]:9798, or \"off\"";
    match written.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => flaw("has port 0, which nobody could find", fix),
        Ok(address) if address.ip().is_loopback() => Ok(Some(address)),
        Ok(address) => flaw(
            format!("cannot be {}: metrics are served to this machine only, for they tell an attacker what is seen", address.ip()),
            format!("{fix}, and let a collector on this machine pass them on"),
        ),
        Err(_) => flaw(format!("is an address and a port, and {} is none", quoted(&written)), fix),
    }
}

fn log(value: &DeValue<'_>) -> Checked<String> {
    let filter = word(value)?;
    match tracing_subscriber::EnvFilter::builder().parse(&filter) {
        Ok(_) => Ok(filter),
        Err(_) => flaw(
            format!("is a filter, and {} is none", quoted(&filter)),
            "write error, warn, info, debug or trace, or levels of parts as info,sidewatch::sink=debug",
        ),
    }
}

fn capture(sheet: &mut Sheet<'_>, section: &mut Section<'_>, capture: &mut Capture) {
    if let Some(names) = section.list(sheet, "interfaces", interface) {
        too_many(sheet, "interfaces", names.get(MOST_NAMES).map(|(_, span)| span));
        if names.is_empty() {
            let fix = format!("name interfaces as [\"eth0\", \"ppp*\"], or leave the key out for [\"{AUTO}\"]");
            let span = section.span.clone();
            sheet.complain(&span, super::sheet::Flaw { what: "`interfaces` names none that can be watched".to_owned(), fix });
        }
        capture.interfaces = names.into_iter().map(|(name, _)| name).collect();
    }
    let threads = section.read(sheet, "threads", number(1..=64));
    set(&mut capture.threads, threads.and_then(|threads| u16::try_from(threads).ok()));
    // Below 256 bytes the options of TCP and the head of an answer are cut off; above 256 KiB libpcap takes no frame.
    let snap = section.read(sheet, "snap_length", size(256..=256 << 10));
    set(&mut capture.snap_length, snap.and_then(|bytes| u32::try_from(bytes).ok()));
    // libpcap takes a signed 32-bit size; a block of the ring must hold the largest frame.
    set(&mut capture.ring, section.read(sheet, "ring", size(1 << 20..=1 << 30)));
    set(&mut capture.promiscuous, section.read(sheet, "promiscuous", boolean));
    set(
        &mut capture.filter,
        section.read(sheet, "filter", |value| text(value).map(|filter| Some(filter).filter(|f| !f.trim().is_empty()))),
    );
}

/// The name of an interface, a glob of names, `any` or `auto`.
fn interface(value: &DeValue<'_>) -> Checked<String> {
    let name = word(value)?;
    let is_glob = name.contains(['*', '?', '[']);
    if is_glob {
        return match glob::Pattern::new(&name) {
            Ok(_) => Ok(name),
            Err(error) => flaw(format!("is no glob: {}", error.msg), "write it as eth*, wg? or eth[0-3]"),
        };
    }
    let is_name = name.len() <= LONGEST_INTERFACE && !name.contains(['/', ':']) && !name.contains(char::is_whitespace);
    if is_name { Ok(name) } else { flaw(format!("is no interface: {}", quoted(&name)), "`sidewatch interfaces` lists what can be watched") }
}

fn store(sheet: &mut Sheet<'_>, section: &mut Section<'_>, store: &mut StoreSettings) {
    set(&mut store.folder, section.read(sheet, "folder", path));
    set(&mut store.keep, section.read(sheet, "keep", duration(DAY..=3_650 * DAY)));
    set(&mut store.size, section.read(sheet, "size", size(16 << 20..=1 << 40)));
    set(&mut store.reserve, section.read(sheet, "reserve", size(1 << 20..=1 << 30)));
    set(&mut store.storm, section.read(sheet, "storm", duration(Duration::ZERO..=DAY)));
}

fn watch(sheet: &mut Sheet<'_>, section: &mut Section<'_>, watch: &mut Watch) {
    set(&mut watch.heartbeat, section.read(sheet, "heartbeat", duration(Duration::ZERO..=7 * DAY)));
    set(&mut watch.blind_after, section.read(sheet, "blind_after", duration(10 * SECOND..=DAY)));
    set(&mut watch.drops_per_mille, section.read(sheet, "drops_per_mille", number(0..=1_000)));
}
