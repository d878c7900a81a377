//! The servers: nginx with pages, redirects, downloads, and dnsmasq that knows their names.

use super::certificates::certify;
use super::programs::{Program, until};
use super::street::{RESOLVER, Street};
use crate::lab::line::DELAY;
use crate::support::cases::http::prose;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub(crate) const PROGRAMS: [(&str, &str); 4] =
    [("nginx", "nginx-light"), ("dnsmasq", "dnsmasq-base"), ("openssl", "openssl"), ("unshare", "util-linux")];

/// Names of ordinary sites, which share addresses as sites do.
pub(crate) const ORDINARY: [(&str, u8); 8] = [
    ("news.example", 80),
    ("www.news.example", 80),
    ("weather.example", 81),
    ("shop.example", 82),
    ("static.shop.example", 82),
    ("mirror.example", 83),
    ("mail.example", 84),
    ("old.example", 85),
];

/// Names that forged answers lead to.
const LURES: [(&str, u8); 2] = [("update.example.net", 98), ("cdn.example.net", 99)];

/// nginx and dnsmasq at work.
pub(crate) struct Site {
    /// What a client's `/etc/resolv.conf` says.
    pub(crate) settings: PathBuf,
    _web: Program,
    _names: Program,
}

impl Site {
    /// Starts both on `street`, with `more` names beside the ordinary ones; files are kept in `scratch`.
    pub(crate) fn open(street: &Street, scratch: &Path, more: &[(&str, u8)]) -> io::Result<Self> {
        let folder = scratch.join("site");
        write_pages(&folder.join("pages"))?;
        certify(&folder, "news.example")?;
        fs::write(folder.join("nginx.conf"), nginx_settings(&folder))?;
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(&folder).arg("-e").arg(folder.join("error.log")).arg("-c").arg(folder.join("nginx.conf"));
        let web = Program::start(&street.servers, nginx, &folder.join("nginx.log"))?;

        let hosts: String = ORDINARY.iter().chain(&LURES).chain(more).map(|(name, last)| format!("203.0.113.{last} {name}\n")).collect();
        fs::write(folder.join("hosts"), hosts)?;
        let mut dnsmasq = Command::new("dnsmasq");
        dnsmasq.args(["--no-daemon", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--no-resolv", "--no-hosts"]);
        dnsmasq.args(["--local=/#/", "--local-ttl=300", "--bind-interfaces", &format!("--listen-address={RESOLVER}")]);
        dnsmasq.arg(format!("--addn-hosts={}", folder.join("hosts").display()));
        let names = Program::start(&street.servers, dnsmasq, &folder.join("dnsmasq.log"))?;

        let settings = folder.join("resolv.conf");
        fs::write(&settings, format!("nameserver {RESOLVER}\noptions timeout:2 attempts:3\n"))?;
        let answers = |port| {
            let at = SocketAddr::new(Ipv4Addr::new(203, 0, 113, 53).into(), port);
            until(Duration::from_secs(10), || street.client.within(|| TcpStream::connect_timeout(&at, DELAY * 20)).ok())
        };
        for (port, program) in [(80, &web), (443, &web), (53, &names)] {
            answers(port).ok_or_else(|| io::Error::other(format!("nothing answers at port {port}: {}", program.said())))?;
        }
        Ok(Self { settings, _web: web, _names: names })
    }
}

fn nginx_settings(folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let temporary: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {};\n", at(name))).concat();
    format!(
        "daemon off; master_process off; pid {}; error_log {};\nevents {{ worker_connections 2048; }}\n\
         http {{ access_log off; {temporary} default_type text/html; etag on; keepalive_requests 100; lingering_timeout 1s;\n\
         types {{ text/html html; text/css css; text/javascript js; application/octet-stream bin; }}\n\
         server {{ listen 80 backlog=2048; listen 443 ssl backlog=2048; ssl_certificate {}; ssl_certificate_key {}; root {};\n\
         gzip on; gzip_types text/css text/javascript; gzip_min_length 100;\n\
         location / {{ try_files $uri /small.html; }}\n\
         location /first {{ try_files /first.html =404; }}\nlocation /second {{ try_files /second.html =404; }}\n\
         location /long/ {{ try_files /long.html =404; }}\n\
         location /joined/ {{ ssi on; try_files /joined.html =404; }}\n\
         location /file/ {{ gzip off; try_files /file.bin =404; }}\n\
         location /moved/ {{ return 301 /page$request_uri; }}\n\
         location /found/ {{ return 302 http://weather.example/page$request_uri; }}\n\
         location /temporary/ {{ return 307 http://$host/long$request_uri; }}\n\
         location /bare/ {{ return 302 /page$request_uri; }}\n\
         location /secure/ {{ return 301 https://$host/page$request_uri; }}\n\
         location /missing/ {{ return 404; }}\nlocation /broken/ {{ return 503; }}\n\
         }} }}\n",
        at("nginx.pid"),
        at("error.log"),
        at("certificate.pem"),
        at("key.pem"),
        at("pages"),
    )
}

fn write_pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let page = |title: &str, head: &str, body: &str| {
        format!("<!doctype html><html><head><title>{title}</title>{head}</head><body><h1>{title}</h1>{body}</body></html>\n")
    };
    let script = "<script src=\"/static/app.js\"></script><link rel=\"stylesheet\" href=\"/static/site.css\">";
    fs::write(folder.join("small.html"), page("Small", script, &prose(12)))?;
    fs::write(folder.join("long.html"), page("Long", script, &prose(900)))?;
    fs::write(folder.join("joined.html"), page("Joined", script, "<!--#include virtual=\"/long/part\" --><p>And so on.</p>"))?;
    // The second page is a page in the first, so that a browser asks for both on one connection.
    fs::write(folder.join("first.html"), page("First", "", "<iframe src=\"/second\"></iframe>"))?;
    fs::write(folder.join("second.html"), page("Second", "", &prose(4)))?;
    fs::create_dir_all(folder.join("static"))?;
    fs::write(folder.join("static/app.js"), "document.title += ' *';\n".repeat(40))?;
    fs::write(folder.join("static/site.css"), "h1 { font: 2em serif; }\n".repeat(40))?;
    fs::write(folder.join("file.bin"), (0..400_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
}
