//! Which features of an interface hand over several received packets as one, as `ethtool` tells.

use std::io;
use std::process::Command;

/// Features that merge received packets, as `ethtool -k` names them, as `ethtool -K` does, and in short.
const MERGING: [(&str, &str, &str); 4] = [
    ("generic-receive-offload", "gro", "GRO"),
    ("large-receive-offload", "lro", "LRO"),
    ("rx-gro-hw", "rx-gro-hw", "GRO in hardware"),
    ("rx-gro-list", "rx-gro-list", "GRO lists"),
];

/// A feature that merges received packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Feature {
    /// As `ethtool -k` names it.
    pub(in crate::cli) name: String,
    /// Whether it is on.
    pub(in crate::cli) on: bool,
    /// Whether it cannot be changed.
    pub(in crate::cli) fixed: bool,
}

/// What is known of an interface's features.
#[derive(Debug)]
pub(in crate::cli) enum Offloads {
    /// Those that merge.
    Known(Vec<Feature>),
    /// Nobody could be asked, and why.
    Unknown(Why),
}

/// Why nothing is known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum Why {
    /// `ethtool` is not installed.
    NoProgram,
    /// It said this.
    Said(String),
}

/// Asks `ethtool`.
pub(in crate::cli) fn of(interface: &str) -> Offloads {
    let asked = |program: &str| Command::new(program).args(["--show-features", interface]).env("LC_ALL", "C").output();
    // Users other than root do not have it in their path.
    let output = match asked("ethtool") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => asked("/usr/sbin/ethtool"),
        output => output,
    };
    match output {
        Ok(output) if output.status.success() => Offloads::Known(merging(&String::from_utf8_lossy(&output.stdout))),
        Ok(output) => Offloads::Unknown(Why::Said(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Offloads::Unknown(Why::NoProgram),
        Err(error) => Offloads::Unknown(Why::Said(error.to_string())),
    }
}

/// The merging features in what `ethtool -k` prints: `generic-receive-offload: on [fixed]`.
fn merging(printed: &str) -> Vec<Feature> {
    let feature = |line: &str| {
        let (name, state) = line.trim().split_once(": ")?;
        let known = MERGING.iter().any(|(known, _, _)| *known == name);
        known.then(|| Feature { name: name.to_owned(), on: state.starts_with("on"), fixed: state.contains("[fixed]") })
    };
    printed.lines().filter_map(feature).collect()
}

/// Its short name.
pub(in crate::cli) fn short(name: &str) -> &str {
    MERGING.iter().find(|(known, _, _)| *known == name).map_or(name, |(_, _, short)| short)
}

/// The command that turns features off.
pub(in crate::cli) fn turn_off(interface: &str, features: &[&Feature]) -> String {
    let switches = features.iter().filter_map(|feature| MERGING.iter().find(|(name, _, _)| *name == feature.name));
    let off: Vec<String> = switches.map(|(_, switch, _)| format!("{switch} off")).collect();
    format!("ethtool -K {interface} {}", off.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "Features for eth0:\nrx-checksumming: on [fixed]\n\ttx-checksum-ipv4: off [fixed]\ngeneric-segmentation-offload: on\n\
                           generic-receive-offload: on\nlarge-receive-offload: off [fixed]\nrx-gro-hw: on [fixed]\nrx-gro-list: off\n";

    #[test]
    fn what_merges_is_told_from_what_does_not_and_what_can_be_changed_from_what_cannot() {
        let found = merging(PRINTED);
        let on: Vec<(&str, bool)> =
            found.iter().filter(|feature| feature.on).map(|feature| (short(&feature.name), feature.fixed)).collect();
        assert_eq!(on, [("GRO", false), ("GRO in hardware", true)]);
        assert_eq!(found.len(), 4);
        assert!(merging("").is_empty());
    }

    #[test]
    fn the_command_uses_the_names_that_ethtool_takes() {
        let found = merging(PRINTED);
        assert_eq!(turn_off("eth0", &found.iter().collect::<Vec<_>>()), "ethtool -K eth0 gro off lro off rx-gro-hw off rx-gro-list off");
    }
}
