//! `sidewatch interfaces`: what can be watched.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Status;
use super::doctor::offloads::{self, Offloads};
use crate::capture::live::{self, ANY, Interface};

/// List the interfaces that can be watched, and what each is
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch interfaces
  sidewatch interfaces --format json | jq -r '.[] | select(.up) | .name'
  sidewatch doctor --interface eth0       would the sensor see anything there?

On a gateway watch the side of your own network: a bridge as a whole rather than its ports, ppp0 rather than the card below it. Before
address translation is done (inside) alerts name your devices; behind it (outside) all are one. \"merges\" says that the interface hands
over several received packets as one (GRO, LRO): turn it off where you watch.

Exit status:
   0  done
   2  bad usage")]
pub(super) struct Interfaces {
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// An interface as a line of text or an object of JSON.
#[derive(Serialize)]
struct Row {
    name: String,
    up: bool,
    state: String,
    kind: String,
    link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed_mbit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<String>,
    addresses: Vec<String>,
    /// None when nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    merges: Option<Vec<String>>,
}

impl Interfaces {
    pub(super) fn run(&self) -> anyhow::Result<Status> {
        let rows: Vec<Row> = live::interfaces().into_iter().map(Row::of).chain([Row::any()]).collect();
        let text = match self.format {
            Format::Json => serde_json::to_string_pretty(&rows)? + "\n",
            Format::Text => table(&rows),
        };
        // A reader that has seen enough is no failure.
        let _ = io::stdout().lock().write_all(text.as_bytes());
        Ok(Status::Done)
    }
}

impl Row {
    fn of(found: Interface) -> Self {
        let state = match (found.up, found.carrier) {
            (false, _) => "down",
            (true, Some(false)) => "no carrier",
            (true, _) => "up",
        };
        let merges = match offloads::of(&found.name) {
            Offloads::Known(features) => Some(features.into_iter().filter(|feature| feature.on).map(|feature| feature.name).collect()),
            Offloads::Unknown(_) => None,
        };
        Self {
            state: state.to_owned(),
            addresses: found.addresses.iter().map(ToString::to_string).collect(),
            name: found.name,
            up: found.up,
            kind: found.kind,
            link: found.link,
            port_of: found.port_of,
            speed_mbit: found.speed,
            driver: found.driver,
            merges,
        }
    }

    fn any() -> Self {
        Self {
            name: ANY.to_owned(),
            up: true,
            state: "up".to_owned(),
            kind: "all of them".to_owned(),
            link: "Linux cooked".to_owned(),
            port_of: None,
            speed_mbit: None,
            driver: None,
            addresses: Vec::new(),
            merges: None,
        }
    }

    fn cells(&self) -> [String; 7] {
        let kind = self.port_of.as_ref().map_or_else(|| self.kind.clone(), |of| format!("{}, port of {of}", self.kind));
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let merges = match &self.merges {
            None => "?".to_owned(),
            Some(names) if names.is_empty() => "no".to_owned(),
            Some(names) => names.iter().map(|name| offloads::short(name)).collect::<Vec<_>>().join(","),
        };
        let merges = if self.name == ANY { "-".to_owned() } else { merges };
        let driver = or_none(self.driver.clone());
        let speed = or_none(self.speed_mbit.map(|speed| format!("{speed} Mbit/s")));
        [self.name.clone(), self.state.clone(), kind, self.link.clone(), format!("{speed} {driver}"), merges, self.addresses.join(" ")]
    }
}

const HEADINGS: [&str; 7] = ["NAME", "STATE", "KIND", "LINK", "SPEED, DRIVER", "MERGES", "ADDRESSES"];

/// Columns as wide as their widest cell, the last one as long as it is.
fn table(rows: &[Row]) -> String {
    let cells: Vec<[String; 7]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    let mut text = String::new();
    for row in &cells {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default();
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_say_what_is_not_known() {
        let port = Row {
            name: "swp1".to_owned(),
            kind: "ethernet".to_owned(),
            port_of: Some("br0".to_owned()),
            speed_mbit: Some(1000),
            driver: Some("igb".to_owned()),
            merges: Some(vec!["generic-receive-offload".to_owned()]),
            link: "Ethernet".to_owned(),
            ..Row::any()
        };
        let text = table(&[port, Row::any()]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("swp1  up     ethernet, port of br0  Ethernet"), "{text}");
        assert!(lines[1].ends_with("1000 Mbit/s igb  GRO"), "{text}");
        assert_eq!(lines[0].find("LINK"), lines[2].find("Linux cooked"), "{text}");
    }
}
