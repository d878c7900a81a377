//! The map: `client - gateway - router - servers`, each in a namespace, with a road in user space at the router.

use super::span::Span;
use crate::lab::namespaces::Namespace;
use std::io;
use std::net::Ipv4Addr;

/// What the sensor watches: the gateway's inner side.
pub(crate) const INSIDE: &str = "swlab-in";

/// Where an attacker beside the road listens and speaks: the router's end towards the gateway.
pub(crate) const AT_ROUTER: &str = "swlab-gate";

pub(crate) const SERVERS_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x50];
const GATEWAY_OUT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// The resolver of the client.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 53);

/// A street. The fields are dropped in order: who uses a namespace goes first.
pub(crate) struct Street {
    pub(crate) road: Span,
    pub(crate) client: Namespace,
    pub(crate) gateway: Namespace,
    pub(crate) router: Namespace,
    /// All addresses of 203.0.113.0/24.
    pub(crate) servers: Namespace,
}

impl Street {
    pub(crate) fn build() -> io::Result<Self> {
        let [client, gateway, router, servers] = [Namespace::make()?, Namespace::make()?, Namespace::make()?, Namespace::make()?];
        for home in [&client, &gateway, &router, &servers] {
            home.sysctl("ipv6/conf/all/disable_ipv6", "1")?;
            home.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
        }
        gateway.sysctl("ipv4/ip_forward", "1")?;
        // A chain of pages costs connections, which wait for a minute each.
        client.sysctl("ipv4/ip_local_port_range", "10000 65000")?;
        client.ip(&format!(
            "link add swlab-c address 02:00:00:00:00:10 type veth peer name {INSIDE} address 02:00:00:00:00:02 netns {}\n\
             addr add 192.0.2.10/24 dev swlab-c\nlink set swlab-c gso_max_segs 1\nlink set swlab-c up\nlink set lo up\n\
             neigh add 192.0.2.1 lladdr 02:00:00:00:00:02 dev swlab-c\nroute add default via 192.0.2.1\n",
            gateway.pid()
        ))?;
        gateway.ip(&format!(
            "link add swlab-out address 02:00:00:00:00:01 type veth peer name {AT_ROUTER} netns {}\n\
             addr add 192.0.2.1/24 dev {INSIDE}\nlink set {INSIDE} up\nlink set lo up\n\
             addr add 198.51.100.1/24 dev swlab-out\nlink set swlab-out gso_max_segs 1\nlink set swlab-out up\n\
             neigh add 192.0.2.10 lladdr 02:00:00:00:00:10 dev {INSIDE}\n\
             neigh add 198.51.100.2 lladdr 02:00:00:00:00:50 dev swlab-out\nroute add 203.0.113.0/24 via 198.51.100.2\n",
            router.pid()
        ))?;
        servers.ip(&format!(
            "link add swlab-e address 02:00:00:00:00:50 type veth peer name swlab-far netns {}\nlink set lo up\n\
             addr add 198.51.100.2/24 dev swlab-e\nlink set swlab-e gso_max_segs 1\nlink set swlab-e up\n\
             neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev swlab-e\nroute add default via 198.51.100.1\n\
             route add local 203.0.113.0/24 dev lo\n",
            router.pid()
        ))?;
        router.ip(&format!(
            "link set {AT_ROUTER} promisc on\nlink set {AT_ROUTER} up\nlink set swlab-far promisc on\nlink set swlab-far up\n"
        ))?;
        let road = Span::start(&router, (AT_ROUTER, GATEWAY_OUT_MAC), ("swlab-far", SERVERS_MAC))?;
        Ok(Self { road, client, gateway, router, servers })
    }
}
