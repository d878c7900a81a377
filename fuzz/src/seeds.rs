//! Writes a seed corpus for every target: `seeds PROJECT CORPUS` takes it from the captures and rules of the project.

use libfuzzer_sys as _; // what the instrumented library is linked against
use sidewatch::capture::FrameSource;
use sidewatch::capture::replay::{inputs, open};
use sidewatch::engine::decode::datagram::{DNS, Datagram};
use sidewatch::engine::decode::{Decoded, Decoder};
use sidewatch::engine::frame::Frame;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::Timestamp;
use sidewatch_fuzz::links::LINKS;
use sidewatch_fuzz::{exchange, story};
use std::error::Error;
use std::fs;
use std::path::Path;

/// Rules that decide what is told.
const POLICY: &str = "[[suppress]]\nname = \"a\"\nreason = \"b\"\nnetworks = [\"192.0.2.0/24\"]\nhosts = [\"a.example\"]\ndetectors = [\"S1\", \"H\"]\n\
    expires = 2027-01-31\n[[severity]]\nname = \"c\"\nreason = \"d\"\nmechanisms = [\"tcp_reset\"]\nseverity = 3\n[thresholds]\nmedium = 50\n";

/// Lists of indicators, each behind the byte that says its form.
const LISTS: [&str; 5] = [
    "\0{\"type\": \"bundle\", \"objects\": [{\"type\": \"indicator\", \"modified\": \"2024-01-26T00:00:00Z\", \"pattern\": \"[domain-name:value = 'a.example' OR \
     ipv4-addr:value ISSUBSET '192.0.2.0/24'] AND [url:value IN ('http://a.example/b')]\"}]}",
    "\u{1}{\"Event\": {\"info\": \"a\", \"date\": \"2024-01-01\", \"Attribute\": [{\"type\": \"domain|ip\", \"value\": \"a.example|192.0.2.1\", \"to_ids\": true}]}}",
    "\u{2}type,value,to_ids\ndomain,a.example,1\nurl,\"http://a.example/b,c\",0\n",
    "\u{4}# 2024-01-01\na[.]example ; b\nhxxp://c.example/d\n2001:db8::/32\n0.0.0.0 e.example\n",
    "\u{5}[{\"type\": \"indicator\", \"pattern_type\": \"stix\", \"pattern\": \"[file:hashes.'SHA-256' = 'ab']\"}]",
];

/// What one capture gives the targets that do not read files.
#[derive(Default)]
struct Seeds {
    decode: Vec<u8>,
    engine: Vec<u8>,
    http: Vec<u8>,
    dns: Vec<u8>,
    /// The last answer of DHCP or DHCPv6.
    dhcp: Vec<u8>,
    /// A ClientHello in its record; the same in a frame of QUIC, and a whole datagram that holds one.
    tls: Vec<u8>,
    quic: [Vec<u8>; 2],
    /// Header fields and the body of a response.
    html: Vec<u8>,
    /// Host, target and Location.
    url: [String; 3],
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(project), Some(corpus)) = (arguments.next(), arguments.next()) else { return Err("usage: seeds PROJECT CORPUS".into()) };
    let (project, corpus) = (Path::new(&project), Path::new(&corpus));
    for capture in inputs(&[project.join("pcaps")])? {
        let case = capture.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let seeds = read(&capture)?;
        write(corpus, "capture_file", &case, &fs::read(&capture)?)?;
        write(corpus, "decode", &case, &seeds.decode)?;
        write(corpus, "engine", &case, &seeds.engine)?;
        write(corpus, "http", &case, &seeds.http)?;
        write(corpus, "dns", &case, &seeds.dns)?;
        for (target, form, bytes) in
            [("dhcp", "", &seeds.dhcp), ("tls", "", &seeds.tls), ("quic", "-frame", &seeds.quic[0]), ("quic", "", &seeds.quic[1])]
        {
            if !bytes.is_empty() {
                write(corpus, target, &format!("{case}{form}"), bytes)?;
            }
        }
        write(corpus, "html", &case, &seeds.html)?;
        write(corpus, "url", &case, seeds.url.join("\n").as_bytes())?;
    }
    for file in ["devices", "redirects", "portals", "operators"] {
        let rules = fs::read_to_string(project.join(format!("rules/{file}.toml")))?;
        for (number, table) in rules.split("\n[[").skip(1).enumerate() {
            write(corpus, "rules", &format!("{file}-{number}"), format!("[[{table}").as_bytes())?;
        }
    }
    write(corpus, "rules", "policy", POLICY.as_bytes())?;
    for (number, list) in LISTS.iter().enumerate() {
        write(corpus, "indicators", &number.to_string(), list.as_bytes())?;
    }
    Ok(())
}

fn write(corpus: &Path, target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(corpus.join(target))?;
    fs::write(corpus.join(target).join(name), bytes)
}

fn read(capture: &Path) -> Result<Seeds, Box<dyn Error>> {
    let mut seeds = Seeds { engine: vec![0], http: vec![7], dns: vec![0], html: vec![0, 7], ..Seeds::default() };
    let mut source = open(capture)?;
    let mut decoder = Decoder::new(&Limits::default());
    let mut last: Option<Timestamp> = None;
    while let Ok(Some(frame)) = source.next_frame() {
        let after = last.map_or(0, |last| (frame.time - last).as_nanos());
        last = Some(frame.time);
        story::literal(&mut seeds.engine, &frame, after);
        bare(&mut seeds.decode, &frame);
        decoder.decode(&frame, |decoded| {
            if let Decoded::Datagram(datagram) = decoded
                && datagram.is_dns()
            {
                ask_or_answer(&mut seeds.dns, datagram, after);
            }
            if let Decoded::Datagram(datagram) = decoded {
                match datagram.head.src_port {
                    67 | 547 => seeds.dhcp = datagram.payload.to_vec(),
                    _ if datagram.is_quic() => seeds.quic[1] = datagram.payload.to_vec(),
                    _ => {}
                }
            }
            if let Decoded::Tcp(packet) = decoded
                && !packet.payload.is_empty()
            {
                let from_client = packet.head.src_port > packet.head.dst_port;
                exchange::literal(&mut seeds.http, from_client, packet.payload);
                seeds.greet(packet.payload, from_client);
                seeds.look_into(from_client, packet.payload);
            }
        });
    }
    Ok(seeds)
}

/// As the target `decode` takes frames.
fn bare(script: &mut Vec<u8>, frame: &Frame<'_>) {
    let index = LINKS.iter().position(|link| *link == frame.link.0).unwrap_or_default();
    let bytes = frame.bytes.get(..frame.bytes.len().min(0x7ff)).unwrap_or_default();
    script.extend([index as u8, 0]);
    script.extend((bytes.len() as u16).to_be_bytes());
    script.extend(bytes);
}

/// As the target `dns` takes datagrams.
fn ask_or_answer(script: &mut Vec<u8>, datagram: &Datagram<'_>, after: i64) {
    let head = &datagram.head;
    let verb = u8::from(head.src_port == DNS) | u8::from(head.df) << 4 | u8::from(head.ip_version == 6) << 6;
    let millis = after / 1_000_000;
    let (verb, gap) = if millis < 256 { (verb, millis as u8) } else { (verb | 0x80, (millis / 100).min(255) as u8) };
    let payload = datagram.payload.get(..datagram.payload.len().min(0x3ff)).unwrap_or_default();
    script.extend([verb, gap, head.ttl]);
    script.extend(head.ip_id.to_be_bytes());
    script.extend((payload.len() as u16).to_be_bytes());
    script.extend(payload);
}

/// A CRYPTO frame (RFC 9000, section 19.6) as the target `quic` takes payloads.
fn in_a_frame(hello: &[u8]) -> Vec<u8> {
    let len = hello.len().min(0x7f0) as u16;
    let frame = [&[6, 0][..], &(0x4000 | len).to_be_bytes(), hello.get(..usize::from(len)).unwrap_or_default()].concat();
    [&(frame.len() as u16).to_be_bytes()[..], &frame].concat()
}

impl Seeds {
    /// A ClientHello begins, or goes on in another segment.
    fn greet(&mut self, payload: &[u8], from_client: bool) {
        let begins = matches!(payload, [0x16, 3, _, _, _, 1, ..]);
        if begins {
            self.tls.clear();
        }
        if begins || (from_client && !self.tls.is_empty() && self.tls.len() < 4096) {
            self.tls.extend(payload);
            self.quic[0] = in_a_frame(self.tls.get(5..).unwrap_or_default());
        }
    }

    fn look_into(&mut self, from_client: bool, payload: &[u8]) {
        let text = String::from_utf8_lossy(payload);
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        if from_client {
            self.url[0] = field("Host:").unwrap_or_default();
            self.url[1] = text.split(' ').nth(1).unwrap_or_default().to_owned();
        } else if let Some(place) = payload.windows(4).position(|four| four == b"\r\n\r\n") {
            let coding = field("Content-Encoding:").unwrap_or_default();
            let head = ["", "", "", "gzip", "deflate", "br", "zstd"].iter().rposition(|name| *name == coding).unwrap_or(0);
            self.html[0] = if coding.is_empty() { 0 } else { head as u8 };
            self.html.extend(&payload[place + 4..]);
            self.url[2] = field("Location:").unwrap_or_default();
        }
    }
}
