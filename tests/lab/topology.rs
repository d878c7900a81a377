//! The lab's map: which namespaces there are, how they are linked, and what runs in them.

use super::line::Line;
use super::namespaces::Namespace;
use super::recorder::Recorder;
use super::twins::proxied;
use super::web::{self, Answer, PORT, Server};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the proxy reaches the site by a way of its own, which the line and the sensor do not see.
pub(crate) const SITE_BEHIND_PROXY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 2)), PORT);

/// Ethernet address of whatever stands for the servers, and of the gateway's two sides.
const SERVERS: &str = "02:00:00:00:00:50";
const GATEWAY_OUT: &str = "02:00:00:00:00:01";
const GATEWAY_IN: &str = "02:00:00:00:00:02";
const CLIENT: &str = "02:00:00:00:00:10";

/// A running lab: `client - gateway - router - servers`. The fields are dropped in order: who uses a namespace goes first.
pub(crate) struct Lab {
    pub(crate) line: Line,
    /// On the gateway's outer side, where an office would have its sensor.
    pub(crate) outside: Recorder,
    /// On its inner side.
    pub(crate) inside: Recorder,
    _servers: Vec<Server>,
    pub(crate) client: Namespace,
    _others: Vec<Namespace>,
    addresses: AtomicU8,
}

impl Lab {
    pub(crate) fn build() -> io::Result<Self> {
        let [client, gateway, router] = [Namespace::make()?, Namespace::make()?, Namespace::make()?];
        router.sysctl("ipv6/conf/all/disable_ipv6", "1")?;
        router.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
        gateway.sysctl("ipv4/ip_forward", "1")?;
        gateway.sysctl("ipv6/conf/all/forwarding", "1")?;
        wire_gateway(&client, &gateway, &router)?;

        let [site, second, proxy, portal, plain] =
            [Namespace::make()?, Namespace::make()?, Namespace::make()?, Namespace::make()?, Namespace::make()?];
        second.sysctl("ipv4/ip_default_ttl", "128")?;
        second.sysctl("ipv6/conf/all/hop_limit", "128")?;
        second.sysctl("ipv6/conf/default/hop_limit", "128")?;
        plain.sysctl("ipv4/tcp_timestamps", "0")?;
        for (number, home) in [&site, &second, &proxy, &portal, &plain].into_iter().enumerate() {
            wire_server(home, &router, number)?;
        }
        site.ip(&format!(
            "link add swlab-site type veth peer name swlab-proxy netns {}\naddr add 10.9.9.2/30 dev swlab-site\nlink set swlab-site up\n",
            proxy.pid()
        ))?;
        proxy.ip("addr add 10.9.9.1/30 dev swlab-proxy\nlink set swlab-proxy up\n")?;

        let mut servers = Vec::new();
        let answers: [(&Namespace, Answer); 5] =
            [(&site, web::page), (&second, web::page), (&proxy, proxied), (&portal, web::portal), (&plain, web::page)];
        for (home, answer) in answers {
            servers.push(home.within(|| Server::start(TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT))?, answer))?);
        }
        let outside = Recorder::start(&gateway, "swlab-out")?;
        let inside = Recorder::start(&gateway, "swlab-in")?;
        let line = Line::start(&router, "swlab-gate", &["swlab-s0", "swlab-s1", "swlab-s2", "swlab-s3", "swlab-s4"])?;
        Ok(Self {
            line,
            outside,
            inside,
            _servers: servers,
            client,
            _others: vec![gateway, router, site, second, proxy, portal, plain],
            addresses: AtomicU8::new(1),
        })
    }

    /// An address of the servers that no case has had, by which its frames and its box are told from others'.
    pub(crate) fn unused_address(&self, version: u8) -> Option<IpAddr> {
        let take = |number: u8| (number < 255).then_some(number + 1);
        let number = self.addresses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        Some(if version == 4 {
            Ipv4Addr::new(203, 0, 113, number).into()
        } else {
            Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, number.into()).into()
        })
    }
}

fn wire_gateway(client: &Namespace, gateway: &Namespace, router: &Namespace) -> io::Result<()> {
    client.ip(&format!(
        "link add swlab-c address {CLIENT} type veth peer name swlab-in address {GATEWAY_IN} netns {}\n\
         addr add 192.0.2.10/24 dev swlab-c\naddr add 2001:db8:1::10/64 dev swlab-c nodad\nlink set swlab-c up\nlink set lo up\n\
         neigh add 192.0.2.1 lladdr {GATEWAY_IN} dev swlab-c\nneigh add 2001:db8:1::1 lladdr {GATEWAY_IN} dev swlab-c\n\
         route add default via 192.0.2.1\nroute add ::/0 via 2001:db8:1::1\n",
        gateway.pid()
    ))?;
    gateway.ip(&format!(
        "link add swlab-out address {GATEWAY_OUT} type veth peer name swlab-gate netns {}\n\
         addr add 192.0.2.1/24 dev swlab-in\naddr add 2001:db8:1::1/64 dev swlab-in nodad\nlink set swlab-in up\n\
         addr add 198.51.100.1/24 dev swlab-out\naddr add 2001:db8:2::1/64 dev swlab-out nodad\nlink set swlab-out up\n\
         neigh add 192.0.2.10 lladdr {CLIENT} dev swlab-in\nneigh add 2001:db8:1::10 lladdr {CLIENT} dev swlab-in\n\
         neigh add 198.51.100.2 lladdr {SERVERS} dev swlab-out\nneigh add 2001:db8:2::2 lladdr {SERVERS} dev swlab-out\n\
         route add 203.0.113.0/24 via 198.51.100.2\nroute add 2001:db8:3::/64 via 2001:db8:2::2\n",
        router.pid()
    ))?;
    router.ip("link set swlab-gate up\n")
}

/// Each of the servers' places has the same addresses: the line decides who gets a packet.
fn wire_server(home: &Namespace, router: &Namespace, number: usize) -> io::Result<()> {
    home.ip(&format!(
        "link add swlab-e address {SERVERS} type veth peer name swlab-s{number} netns {}\nlink set lo up\n\
         addr add 198.51.100.2/24 dev swlab-e\naddr add 2001:db8:2::2/64 dev swlab-e nodad\nlink set swlab-e up\n\
         neigh add 198.51.100.1 lladdr {GATEWAY_OUT} dev swlab-e\nneigh add 2001:db8:2::1 lladdr {GATEWAY_OUT} dev swlab-e\n\
         route add default via 198.51.100.1\nroute add ::/0 via 2001:db8:2::1\n\
         route add local 203.0.113.0/24 dev lo\nroute add local 2001:db8:3::/64 dev lo\n",
        router.pid()
    ))?;
    router.ip(&format!("link set swlab-s{number} up\n"))
}
