//! The interfaces that are there, and what is known of each.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use glob::Pattern;
use pcap::Device;

use super::ANY;
use crate::config::AUTO;

/// The interfaces of the calling thread's network namespace; `/sys` may be another's.
const NAMES: &str = "/proc/thread-self/net/dev";
/// A folder for each interface.
const FOLDER: &str = "/sys/class/net";

/// What Ethernet without hardware is called: the ends of containers' cables, for one.
const VIRTUAL: &str = "virtual ethernet";

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub up: bool,
    /// Whether it can carry something: there is a cable, a radio link, a tunnel. None where nobody knows.
    pub carrier: Option<bool>,
    /// What it is, in one or two words: `ethernet`, `virtual ethernet`, `bridge`, `wireguard`, `bond`, `vlan`, `ppp`, `tun`, `wifi`, `loopback` ...
    pub kind: String,
    /// How its frames begin, in words.
    pub link: String,
    /// The bridge or bond that it is a port of.
    pub port_of: Option<String>,
    /// The driver of its hardware.
    pub driver: Option<String>,
    /// Megabits a second.
    pub speed: Option<u32>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The interfaces that carry what it carries: ports of a bridge, what a VLAN lies on.
    pub lower: Vec<String>,
}

/// Names of interfaces that are there and match one of the names or globs: in the order of `names`, those of a glob by their own, each once. `any` is
/// always there, `auto` stands for those that carry traffic of others. What is no glob is taken as a name.
#[must_use]
pub fn matching(names: &[String]) -> Vec<String> {
    let mut wanted = names.to_vec();
    if let Some(place) = wanted.iter().position(|name| name == AUTO) {
        wanted.splice(place..=place, carriers(&all()));
    }
    chosen(&wanted, &present())
}

/// Names of the interfaces that carry traffic of others: hardware that is no port of anything, bridges and bonds of such.
fn carriers(all: &[Interface]) -> Vec<String> {
    let carries = |found: &&Interface| match found.kind.as_str() {
        "bridge" | "bond" => all.iter().any(|port| found.lower.contains(&port.name) && (port.driver.is_some() || port.kind != VIRTUAL)),
        _ => found.driver.is_some(),
    };
    all.iter().filter(|found| found.up && found.port_of.is_none()).filter(carries).map(|found| found.name.clone()).collect()
}

fn chosen(names: &[String], present: &[String]) -> Vec<String> {
    let mut chosen: Vec<String> = Vec::new();
    for name in names {
        let pattern = Pattern::new(name).ok();
        let fits = |there: &&String| *there == name || pattern.as_ref().is_some_and(|pattern| pattern.matches(there));
        let everything = (name == ANY).then(|| name.clone());
        for found in present.iter().filter(fits).cloned().chain(everything) {
            if !chosen.contains(&found) {
                chosen.push(found);
            }
        }
    }
    chosen
}

/// Whether the interface is there and switched on. `any` always is.
#[must_use]
pub fn is_up(name: &str) -> bool {
    let found = || Device::list().unwrap_or_default().into_iter().find(|device| device.name == name);
    name == ANY || found().is_some_and(|device| device.flags.is_up())
}

/// All interfaces that are there, by name. What the system does not tell is left empty.
#[must_use]
pub fn all() -> Vec<Interface> {
    let devices = Device::list().unwrap_or_default();
    let described = |name: String| {
        let device = devices.iter().find(|device| device.name == name);
        let (up, addresses) =
            device.map_or((false, Vec::new()), |device| (device.flags.is_up(), device.addresses.iter().map(|known| known.addr).collect()));
        Interface { up, addresses, ..described(&Path::new(FOLDER).join(&name), name) }
    };
    present().into_iter().map(described).collect()
}

/// Names of what is there, sorted.
fn present() -> Vec<String> {
    names_of(&fs::read_to_string(NAMES).unwrap_or_default())
}

/// The two lines of headings have no colon.
fn names_of(table: &str) -> Vec<String> {
    let mut names: Vec<String> = table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect();
    names.sort_unstable();
    names
}

/// What the interface's folder says.
fn described(folder: &Path, name: String) -> Interface {
    let text = |file: &str| fs::read_to_string(folder.join(file)).ok().map(|text| text.trim().to_owned());
    let leads_to = |link: &str| Some(fs::read_link(folder.join(link)).ok()?.file_name()?.to_string_lossy().into_owned());
    let prefixed = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix("lower_").map(str::to_owned);
    let mut lower: Vec<String> = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(prefixed).collect();
    lower.sort_unstable();
    let number = text("type").and_then(|text| text.parse().ok());
    let (link, plain_kind) = number.map_or(("unknown", "unknown"), of_type);
    let driver = leads_to("device/driver");
    let is_virtual = plain_kind == "ethernet" && driver.is_none();
    let kind = device_type(&text("uevent").unwrap_or_default())
        .or_else(|| is_tun(text("tun_flags").as_deref()))
        .or_else(|| folder.join("phy80211").exists().then(|| "wifi".to_owned()))
        .unwrap_or_else(|| if is_virtual { VIRTUAL } else { plain_kind }.to_owned());
    Interface {
        name,
        up: false,
        carrier: text("carrier").map(|text| text == "1"),
        kind,
        link: link.to_owned(),
        port_of: leads_to("master"),
        driver,
        speed: text("speed").and_then(|text| text.parse().ok()).filter(|speed| *speed > 0),
        addresses: Vec::new(),
        lower,
    }
}

/// What a driver calls its interfaces.
fn device_type(uevent: &str) -> Option<String> {
    let named = uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE="))?;
    Some(if named == "wlan" { "wifi".to_owned() } else { named.to_owned() })
}

/// Bit 1 says that there are frames (`IFF_TAP` of `linux/if_tun.h`).
fn is_tun(flags: Option<&str>) -> Option<String> {
    let flags = u32::from_str_radix(flags?.strip_prefix("0x")?, 16).ok()?;
    Some(if flags & 2 == 0 { "tun" } else { "tap" }.to_owned())
}

/// How frames begin and what such interfaces are, by the hardware type (`linux/if_arp.h`).
const fn of_type(number: u32) -> (&'static str, &'static str) {
    match number {
        1 => ("Ethernet", "ethernet"),
        772 => ("Ethernet", "loopback"),
        512 => ("Linux cooked", "ppp"),
        519 | 65_534 => ("raw IP", "tunnel"),
        768 | 776 => ("raw IP", "tunnel"),
        769 | 778 | 823 => ("Linux cooked", "tunnel"),
        801..=803 => ("IEEE 802.11", "wifi monitor"),
        _ => ("Linux cooked", "other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_and_globs_choose_what_is_there_each_once() {
        let present = names(&["eth0", "eth1", "lo", "ppp0", "wg0"]);
        let chosen = |wanted: &[&str]| chosen(&names(wanted), &present);
        assert_eq!(chosen(&["wg0", "eth*", "eth1"]), names(&["wg0", "eth0", "eth1"]));
        assert_eq!(chosen(&["ppp[0-9]", "eth7"]), names(&["ppp0"]));
        assert_eq!(chosen(&["any"]), names(&["any"]));
        assert_eq!(chosen(&["eth[0"]), names(&[]), "no glob, and no such name");
    }

    #[test]
    fn what_carries_traffic_of_others_is_found_by_itself() {
        let plain = |name: &str| Interface { name: name.to_owned(), up: true, kind: "ethernet".to_owned(), ..Interface::default() };
        let card = |name: &str| Interface { driver: Some("igb".to_owned()), ..plain(name) };
        let bridge = |name: &str, port: &str| Interface { kind: "bridge".to_owned(), lower: names(&[port]), ..plain(name) };
        let there = [
            Interface { port_of: Some("br0".to_owned()), ..card("eth0") },
            card("eth1"),
            Interface { up: false, ..card("eth2") },
            bridge("br0", "eth0"),
            Interface { kind: VIRTUAL.to_owned(), port_of: Some("docker0".to_owned()), ..plain("veth9") },
            bridge("docker0", "veth9"),
            plain("dummy0"),
        ];
        assert_eq!(carriers(&there), names(&["eth1", "br0"]));
    }

    #[test]
    fn names_are_read_from_the_kernels_table() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n    lo: 1 2 3\nwan0.7:4 5 6\n";
        assert_eq!(names_of(table), names(&["lo", "wan0.7"]));
    }

    #[test]
    fn what_an_interface_is_comes_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        write("type", "65534\n");
        write("uevent", "DEVTYPE=wireguard\nINTERFACE=wg0\n");
        write("carrier", "1\n");
        write("speed", "-1\n");
        let found = described(folder.path(), "wg0".to_owned());
        assert_eq!((found.kind.as_str(), found.link.as_str(), found.carrier, found.speed), ("wireguard", "raw IP", Some(true), None));
        write("uevent", "INTERFACE=tap0\n");
        write("tun_flags", "0x1002\n");
        write("type", "1\n");
        write("speed", "1000\n");
        std::os::unix::fs::symlink("../br0", folder.path().join("master")).unwrap();
        std::os::unix::fs::symlink("../eth0", folder.path().join("lower_eth0")).unwrap();
        let found = described(folder.path(), "tap0".to_owned());
        assert_eq!((found.kind.as_str(), found.speed, found.port_of.as_deref()), ("tap", Some(1000), Some("br0")));
        assert_eq!(found.lower, names(&["eth0"]));
        let unknown = described(Path::new("nowhere"), "x0".to_owned());
        assert_eq!((unknown.kind.as_str(), unknown.carrier), ("unknown", None));
    }

    #[test]
    fn loopback_is_there_and_all_interfaces_always_are() {
        assert!(all().iter().any(|found| found.name == "lo"));
        assert!(is_up(ANY));
        assert!(!is_up("nosuch0"));
    }
}
