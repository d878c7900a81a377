//! The harmless explanations of a claim to another's address: which stand, and how far they hold the finding down.

use super::tell::Ceiling;
use crate::alert::Considered;

/// From so many addresses of others on, a machine that only answers when asked is a proxy.
const PROXY: usize = 3;

/// What is known of a claimer, as far as explanations go by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// It poses as two machines at once.
    pub(super) two_sided: bool,
    /// It answers unasked, or announces without end.
    pub(super) forced: bool,
    /// The machine that had the address goes on to say so.
    pub(super) contested: bool,
    /// Addresses that it claims and others have.
    pub(super) rivals: usize,
    /// Traffic moved to it.
    pub(super) moved: bool,
    /// Its hardware address is one that routers share.
    pub(super) shared_mac: bool,
    /// Its hardware address follows that of the machine that has the address.
    pub(super) neighbour: bool,
    /// ARP; else neighbour discovery.
    pub(super) v4: bool,
    /// A pin gives the address to others.
    pub(super) pinned: bool,
}

impl Reading {
    fn is_virtual(self) -> bool {
        self.shared_mac && !self.two_sided
    }
    fn is_proxy(self) -> bool {
        self.rivals >= PROXY && !self.forced && self.v4
    }
    fn is_one_machine(self) -> bool {
        self.neighbour && !self.two_sided
    }
    fn is_mistake(self) -> bool {
        !self.forced && !self.two_sided
    }
    /// Where questions are not seen, every answer is unasked.
    fn is_alone(self) -> bool {
        self.rivals == 0 && !self.two_sided && !self.moved
    }
    /// It behaves as a new machine does, of which the pin does not know.
    fn is_newer_than_the_pin(self) -> bool {
        self.pinned && !self.contested && self.is_mistake()
    }

    /// How far they hold it down.
    pub(super) fn ceiling(self) -> Ceiling {
        match () {
            () if self.is_newer_than_the_pin() => Ceiling::Medium,
            () if self.pinned => Ceiling::Open,
            () if self.is_virtual() || self.is_proxy() || self.is_alone() => Ceiling::Nothing,
            () if self.is_one_machine() => Ceiling::Low,
            () if self.is_mistake() && self.moved && self.contested => Ceiling::Medium,
            () if self.is_mistake() => Ceiling::Low,
            () => Ceiling::Open,
        }
    }

    /// Each explanation, and why it stands or falls.
    pub(super) fn considered(self) -> Vec<Considered> {
        let took_over = self.is_mistake() && !self.contested;
        let standby = match () {
            () if self.pinned && self.is_virtual() => {
                "the hardware address is one of those that standby routers share; the pin does not name it"
            }
            () if self.pinned => "the pin names every machine that may have the address",
            () if self.is_virtual() => "the hardware address is one of those that standby routers share",
            () if self.forced => {
                "a standby router announces to all, and once; this went to single machines that had asked nothing, or to all for long"
            }
            () if self.contested => "the machine that had the address goes on to use it",
            () => "it was said to all, and the machine that had the address did not object",
        };
        let still_there = "the machine that had the address is still there";
        let replaced = match () {
            () if self.contested => still_there,
            () if self.pinned && self.forced => "such machines do not send answers that nobody asked for",
            () if self.pinned => "no machine that the pin names was heard afterwards; the pin may be older than the machine",
            () => "the machine that had the address was not heard afterwards",
        };
        let mistake = if self.is_mistake() {
            "both say so only as every machine does"
        } else {
            "such machines do not send answers that nobody asked for"
        };
        let mut all = vec![
            ("standby router that took over", self.is_virtual() || (took_over && !self.pinned), standby),
            ("replaced machine or card", took_over, replaced),
            ("two machines with the same address by mistake", self.is_mistake(), mistake),
        ];
        if self.rivals >= PROXY {
            let why = if self.is_proxy() { "it answers only when asked" } else { "it also speaks unasked" };
            all.push(("router that answers for others (proxy)", self.is_proxy(), why));
        }
        if self.is_one_machine() {
            all.push(("two ports of one machine", true, "the hardware addresses follow each other"));
        }
        all.into_iter().map(|(explanation, kept, why)| Considered { explanation, kept, why: why.to_owned() }).collect()
    }
}
