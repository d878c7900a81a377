//! What is to be told no more, who said so, and why.

use std::fs;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;

use super::{Refusal, one, print, printable, show, when};
use crate::config::StoreSettings;
use crate::store::{Archive, Mute, Muted, Store};

#[derive(Args)]
pub(super) struct MuteArguments {
    /// What is like this alert: the same attack on the same device. Its id, or enough of the beginning
    id: Option<String>,
    /// What is done to this device, or to devices of this network
    #[arg(long, value_name = "ADDRESS")]
    client: Option<String>,
    /// What claims to be from this server, or from this network
    #[arg(long, value_name = "ADDRESS")]
    server: Option<String>,
    /// What is done in this way
    #[arg(long, value_name = "NAME")]
    mechanism: Option<String>,
    /// Until when
    #[arg(long, value_name = "TIME", default_value = "7d")]
    until: String,
    /// Why; it is kept with your name
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Show all mutes
    #[arg(long, conflicts_with_all = ["id", "client", "server", "mechanism", "why", "end"])]
    list: bool,
    /// End the mute of this number
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["id", "client", "server", "mechanism", "why"])]
    end: Option<i64>,
}

impl MuteArguments {
    pub(super) fn run(self, folder: &Path) -> Result<(), Refusal> {
        let archive = Archive::open(folder)?;
        if self.list {
            return list(&archive);
        }
        let settings = StoreSettings { folder: folder.to_owned(), ..StoreSettings::default() };
        let now = Timestamp::now();
        if let Some(number) = self.end {
            let ended = Store::attach(&settings, &[])?.unmute(number, now.as_millisecond())?;
            return if ended {
                print(&format!("Mute {number} has ended.\n"))
            } else {
                Err(Refusal::Words(format!("no mute {number} holds; `sidewatch alerts mute --list` shows them")))
            };
        }
        let Some(why) = self.why.as_deref().map(str::trim).filter(|why| !why.is_empty()) else {
            return Err(Refusal::Words("say --why: whoever looks for a missing alert next year will want to know".to_owned()));
        };
        let until = when::moment(&self.until, now, true).map_err(Refusal::Words)?;
        if until <= now {
            return Err(Refusal::Words(format!("--until {}: that is over", self.until)));
        }
        let muted = self.muted(&archive)?;
        let mute = Mute { number: 0, who: who(), why: why.to_owned(), made: now.as_millisecond(), until: until.as_millisecond(), muted };
        let number = Store::attach(&settings, &[])?.mute(&mute)?;
        let line = printable(&show::muted(&Mute { number, ..mute.clone() }));
        print(&format!("Muted {line}\n  {}\nAlerts of this kind are kept and told to nobody from now on.\n", printable(&what(&mute.muted))))
    }

    fn muted(&self, archive: &Archive) -> Result<Muted, Refusal> {
        for (option, network) in [("--client", &self.client), ("--server", &self.server)] {
            if let Some(network) = network.as_ref().filter(|network| !Muted::is_network(network)) {
                return Err(Refusal::Words(format!("{option} {network}: that is no address and no network as 10.0.0.0/8")));
            }
        }
        let alert = self.id.as_ref().map(|id| one(archive, id)).transpose()?;
        let muted =
            Muted { client: self.client.clone(), server: self.server.clone(), mechanism: self.mechanism.clone(), ..Muted::default() };
        let muted = match alert.map(|kept| kept.record) {
            None => muted,
            Some(record) if record.storm_key.is_empty() => Muted { alert_id: Some(record.id), ..muted },
            Some(record) => Muted { storm_key: Some(record.storm_key), ..muted },
        };
        if muted == Muted::default() {
            return Err(Refusal::Words("say what is to be muted: the ID of an alert, --client, --server or --mechanism".to_owned()));
        }
        Ok(muted)
    }
}

fn list(archive: &Archive) -> Result<(), Refusal> {
    let now = Timestamp::now().as_millisecond();
    let mutes = archive.mutes()?;
    let line = |mute: &Mute| {
        let over = if mute.until > now { "" } else { " (over)" };
        format!("{}{over}\n  {}\n", printable(&show::muted(mute)), printable(&what(&mute.muted)))
    };
    print(&if mutes.is_empty() { "Nothing is muted.\n".to_owned() } else { mutes.iter().map(line).collect() })
}

fn what(muted: &Muted) -> String {
    let Muted { alert_id, mechanism, client, server, storm_key } = muted;
    let named = [
        ("alert", alert_id),
        ("mechanism", mechanism),
        ("device", client),
        ("server", server),
        ("mechanism|verdict|attacker|device", storm_key),
    ];
    let given = named.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name} {value}")));
    given.collect::<Vec<_>>().join(", ")
}

/// The name of who asks, also behind sudo.
fn who() -> String {
    let user = rustix::process::getuid().as_raw();
    if let Some(name) = std::env::var("SUDO_USER").ok().filter(|name| user == 0 && !name.is_empty()) {
        return name;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named =
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line.get(2).is_some_and(|id| *id == user.to_string()));
    named.and_then(|line| line.first().map(ToString::to_string)).unwrap_or_else(|| format!("user {user}"))
}
