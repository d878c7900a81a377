//! The client's programs: curl, and a Chromium without a window.

use super::programs::{Program, with_resolver};
use super::site::Site;
use super::street::Street;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(crate) const CHROMIUM: (&str, &str) = ("chromium", "chromium");

/// How long a browser may take for a page, its start included: most of it is the machine's.
const PATIENCE: Duration = Duration::from_secs(40);

/// Asks for `urls` on as few connections as it can; whether that went well is not asked.
pub(crate) fn curl(street: &Street, site: &Site, urls: &[&str], log: &Path) -> io::Result<()> {
    let mut command = with_resolver(&site.settings, "curl");
    command.args(["--silent", "--show-error", "--location", "--max-time", "8", "--insecure", "--compressed"]);
    for url in urls {
        command.args(["--output", "/dev/null", *url]);
    }
    Program::start(&street.client, command, log)?.end_within(PATIENCE).map(drop)
}

/// Shows a page, and asks for nothing else; whether that went well is not asked.
pub(crate) fn chromium(street: &Street, site: &Site, url: &str, scratch: &Path) -> io::Result<()> {
    let own = tempfile::tempdir_in(scratch)?;
    let mut command = Command::new("unshare");
    // Its many processes end with the namespace of theirs.
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    let inner = with_resolver(&site.settings, "chromium");
    command.arg(inner.get_program()).args(inner.get_args());
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]);
    command.args(["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--ignore-certificate-errors"]);
    command.args(["--disable-features=HttpsUpgrades", "--timeout=4000", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", own.path().display())).arg(url).env("HOME", own.path());
    Program::start(&street.client, command, &scratch.join("chromium.log"))?.end_within(PATIENCE).map(drop)
}
