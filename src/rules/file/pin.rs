//! Pins of the local network in a file of rules.

use std::net::IpAddr;
use std::ops::Range;

use toml::Spanned;

use super::{Sheet, mac_of};
use crate::engine::decode::packet::Addr;
use crate::rules::pins::{OneOrMore, Pin, PinRule, Role};

/// The highest VLAN id (IEEE 802.1Q; 4095 is reserved).
const HIGHEST_VLAN: i64 = 4_094;

impl Sheet<'_> {
    pub(super) fn pin(&mut self, rule: PinRule, span: Range<usize>) {
        let before = self.wrong.len();
        if rule.reason.get_ref().trim().is_empty() {
            self.complain(&rule.reason.span(), "the reason is empty", "say where it is known from, for whoever reads it in a year");
        }
        let vlan = rule.vlan.as_ref().and_then(|vlan| self.vlan(vlan));
        let machines: Vec<(Addr, Vec<[u8; 6]>)> =
            rule.machines.iter().filter_map(|(address, macs)| Some((self.address(address)?, self.macs(macs)))).collect();
        let mut roles = Vec::new();
        for (role, addresses) in [(Role::Dhcp, &rule.dhcp), (Role::Router, &rule.routers), (Role::Dns, &rule.dns)] {
            roles.extend(addresses.iter().filter_map(|address| Some((role, self.address(address)?))));
        }
        if machines.is_empty() && roles.is_empty() && before == self.wrong.len() {
            self.complain(&span, "pins nothing", "add machines = { \"192.0.2.1\" = \"02:00:5e:10:00:01\" }, dhcp, routers or dns");
        }
        if before == self.wrong.len() && self.enter("pin", &rule.name, does(&rule)) {
            self.rules.policy.pins.add(Pin { name: rule.name.get_ref().clone(), vlan, machines, roles });
        }
    }

    fn vlan(&mut self, vlan: &Spanned<i64>) -> Option<u16> {
        let id = u16::try_from(*vlan.get_ref()).ok().filter(|id| i64::from(*id) <= HIGHEST_VLAN);
        if id.is_none() {
            let fix = "write an id from 1 to 4094, 0 for frames without a tag, or leave the key out";
            self.complain(&vlan.span(), format!("there is no VLAN {}", vlan.get_ref()), fix);
        }
        id
    }

    fn address(&mut self, text: &Spanned<String>) -> Option<Addr> {
        let address = text.get_ref().parse::<IpAddr>().ok();
        if address.is_none() {
            let what = format!("\"{}\" is no address", text.get_ref());
            self.complain(&text.span(), what, "write one machine's, as 192.0.2.1 or fe80::1");
        }
        address.map(Addr::from)
    }

    fn macs(&mut self, written: &Spanned<OneOrMore>) -> Vec<[u8; 6]> {
        let OneOrMore(texts) = written.get_ref();
        if texts.is_empty() {
            self.complain(&written.span(), "no machine may have this address", "name at least one, or remove the address");
        }
        let mut macs = Vec::new();
        for text in texts {
            match mac_of(text) {
                Some(mac) => macs.push(mac),
                None => self.complain(&written.span(), format!("\"{text}\" is no hardware address"), "write it as 02:00:5e:10:00:01"),
            }
        }
        macs
    }
}

/// What it does, in a sentence.
fn does(rule: &PinRule) -> String {
    let all = |texts: &[Spanned<String>]| texts.iter().map(|text| text.get_ref().as_str()).collect::<Vec<_>>().join(" and ");
    let mut parts: Vec<String> =
        rule.machines.iter().map(|(address, macs)| format!("{} is at {}", address.get_ref(), macs.get_ref().0.join(" or "))).collect();
    for (what, addresses) in [("DHCP", &rule.dhcp), ("routers", &rule.routers), ("DNS", &rule.dns)] {
        if !addresses.is_empty() {
            parts.push(format!("{what} {}", all(addresses)));
        }
    }
    let place = match rule.vlan.as_ref().map(|vlan| *vlan.get_ref()) {
        None => String::new(),
        Some(0) => " in frames without a VLAN".to_owned(),
        Some(vlan) => format!(" in VLAN {vlan}"),
    };
    format!("{}{place}; anything else is told of (S14), and this is not: {}", parts.join(", "), rule.reason.get_ref())
}

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;
    use crate::rules::pins::Word;

    #[test]
    fn every_mistake_in_a_pin_is_told_with_its_place_and_the_fix() {
        for (text, expected) in [
            ("", "mine.toml:1:1: pins nothing\n  fix: add machines = { \"192.0.2.1\" = \"02:00:5e:10:00:01\" }, dhcp, routers or dns"),
            (
                "reason = \" \"\ndns = [\"192.0.2.53\"]\n",
                "mine.toml:3:10: the reason is empty\n  fix: say where it is known from, for whoever reads it in a year",
            ),
            (
                "vlan = 4095\ndns = [\"192.0.2.53\"]\n",
                "mine.toml:4:8: there is no VLAN 4095\n  fix: write an id from 1 to 4094, 0 for frames without a tag, or leave the key out",
            ),
            (
                "dns = [\"192.0.2.53\", \"192.0.2.0/24\"]\n",
                "mine.toml:4:22: \"192.0.2.0/24\" is no address\n  fix: write one machine's, as 192.0.2.1 or fe80::1",
            ),
            (
                "machines = { \"192.0.2.1\" = \"02:00:5e:10:00\" }\n",
                "mine.toml:4:28: \"02:00:5e:10:00\" is no hardware address\n  fix: write it as 02:00:5e:10:00:01",
            ),
            (
                "machines = { gateway = \"02:00:5e:10:00:01\" }\n",
                "mine.toml:4:14: \"gateway\" is no address\n  fix: write one machine's, as 192.0.2.1 or fe80::1",
            ),
            (
                "machines = { \"192.0.2.1\" = [] }\n",
                "mine.toml:4:28: no machine may have this address\n  fix: name at least one, or remove the address",
            ),
            (
                "gateway = [\"192.0.2.1\"]\n",
                "mine.toml:4:1: there is no key `gateway` here\n  fix: there is `name`, `reason`, `vlan`, `machines`, `dhcp`, `routers`, `dns`",
            ),
        ] {
            let head = if text.starts_with("reason") { "[[pin]]\nname = \"x\"\n" } else { "[[pin]]\nname = \"x\"\nreason = \"y\"\n" };
            let (_, wrong) = Rules::of_text("mine.toml", &format!("{head}{text}"));
            assert_eq!(wrong.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "{text}");
        }
    }

    #[test]
    fn a_pin_says_who_has_an_address_and_who_serves() {
        let text = "\
[[pin]]
name = \"office\"
reason = \"the router's own pages, May 2026\"
machines = { \"192.0.2.1\" = [\"02:00:5e:10:00:01\", \"00-00-5E-00-01-07\"], \"fe80::1\" = \"02:00:5e:10:00:01\" }
dhcp = [\"192.0.2.1\"]
dns = [\"192.0.2.53\"]
vlan = 20

[[pin]]
name = \"guests\"
reason = \"the same\"
dns = [\"192.0.2.54\"]
";
        let (rules, wrong) = Rules::of_text("mine.toml", text);
        assert_eq!(wrong, []);
        let pins = &rules.policy.pins;
        let addr = |text: &str| Addr::from(text.parse::<IpAddr>().unwrap());
        let (own, shared, strange) = ([2, 0, 0x5e, 0x10, 0, 1], [0, 0, 0x5e, 0, 1, 7], [2, 0, 0, 0, 0, 9]);
        assert!(pins.machine(20, addr("192.0.2.1"), own).agrees() && pins.machine(20, addr("192.0.2.1"), shared).agrees());
        assert!(pins.machine(20, addr("fe80::1"), own).agrees());
        let Word::Contradicts(pinned) = pins.machine(20, addr("192.0.2.1"), strange) else { panic!("another machine") };
        assert_eq!((pinned.pin.as_str(), pinned.values.len()), ("office", 2));
        assert_eq!(pins.machine(20, addr("192.0.2.2"), strange), Word::Silent, "of other addresses nothing is said");
        assert_eq!(pins.machine(0, addr("192.0.2.1"), strange), Word::Silent, "nor in other VLANs");
        // What several pins say all holds.
        for dns in ["192.0.2.53", "192.0.2.54"] {
            assert!(pins.role(20, Role::Dns, addr(dns)).agrees());
        }
        assert!(matches!(pins.role(0, Role::Dns, addr("192.0.2.53")), Word::Contradicts(pinned) if pinned.pin == "guests"));
        assert_eq!(pins.role(20, Role::Dns, addr("fe80::53")), Word::Silent, "none of version 6 is named");
        assert_eq!(
            rules.entries[0].does,
            "192.0.2.1 is at 02:00:5e:10:00:01 or 00-00-5E-00-01-07, fe80::1 is at 02:00:5e:10:00:01, DHCP 192.0.2.1, DNS 192.0.2.53 in VLAN 20; \
             anything else is told of (S14), and this is not: the router's own pages, May 2026"
        );
    }
}
