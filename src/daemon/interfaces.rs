//! Which interfaces are watched: those that are there of the names and globs that were given.

use crate::capture::live::{self, Interface};
use crate::config::AUTO;

/// What carries traffic of others, by its kind. A tunnel's traffic is seen outside of it as well.
const CARRY: [&str; 5] = ["ethernet", "bridge", "bond", "vlan", "wifi"];
/// Ends of what is inside of this machine.
const INSIDE: [&str; 7] = ["veth", "docker", "virbr", "br-", "cni", "cali", "tap"];

/// Names of interfaces to watch at this moment.
pub(super) fn present(names: &[String]) -> Vec<String> {
    let mut wanted: Vec<String> = names.iter().filter(|name| *name != AUTO).cloned().collect();
    if wanted.len() < names.len() {
        wanted.extend(chosen(&live::interfaces()));
    }
    live::matching(&wanted)
}

/// Those that the sensor chooses by itself. A port of a bridge or bond carries nothing that its bridge does not.
fn chosen(interfaces: &[Interface]) -> Vec<String> {
    let is_inside = |name: &str| INSIDE.iter().any(|prefix| name.starts_with(prefix));
    let carries = |interface: &&Interface| {
        interface.up && interface.port_of.is_none() && CARRY.contains(&interface.kind.as_str()) && !is_inside(&interface.name)
    };
    interfaces.iter().filter(carries).map(|interface| interface.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_carries_traffic_of_others_is_chosen() {
        let interface = |name: &str, kind: &str, port_of: Option<&str>| Interface {
            name: name.to_owned(),
            up: name != "eth9",
            kind: kind.to_owned(),
            port_of: port_of.map(str::to_owned),
            ..Interface::default()
        };
        let all = [
            interface("lo", "loopback", None),
            interface("eth0", "ethernet", None),
            interface("eth1", "ethernet", Some("br0")),
            interface("eth9", "ethernet", None),
            interface("br0", "bridge", None),
            interface("docker0", "bridge", None),
            interface("veth1", "ethernet", None),
            interface("wg0", "wireguard", None),
        ];
        assert_eq!(chosen(&all), ["eth0", "br0"]);
    }
}
