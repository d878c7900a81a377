//! The page `docs/limits.md`: where detection ends, as the recorded cases say.

use super::attack::{Attack, Quality};
use super::cases::{Case, Scene};
use super::folder::expected;
use super::judge::Finding;
use super::twins::Twin;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The page's text.
pub(crate) fn page() -> String {
    let mut page = OPENING.to_owned();
    for (version, qualities) in [(4, &Quality::ALL[..]), (6, &[Quality::Naive, Quality::Ttl, Quality::Window, Quality::Perfect])] {
        let heads: Vec<&str> = qualities.iter().map(|quality| quality.name()).collect();
        write!(page, "\n## Attacks over IPv{version}\n\n| attack | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(heads.len()))
            .unwrap();
        for attack in Attack::ALL {
            let cells = qualities.iter().map(|quality| cell(Scene::Attack(attack, *quality), version));
            writeln!(page, "| {} | {} |", attack.name(), cells.collect::<Vec<_>>().join(" | ")).unwrap();
        }
    }
    page.push_str(OPENED);
    if OPEN.is_empty() {
        page.push_str("Nothing: each cell has its capture.\n");
    }
    for (cases, why) in OPEN {
        writeln!(page, "- `{}`: {why}.", cases.join("`, `")).unwrap();
    }
    page.push_str(ATTACKS);
    for attack in Attack::ALL {
        writeln!(page, "- **{}**: {}.", attack.name(), attack.words()).unwrap();
    }
    page.push_str(TWINS);
    for twin in Twin::ALL {
        let cells = [4, 6].map(|version| cell(Scene::Twin(twin), version));
        writeln!(page, "| {} | {} | {} | {} |", twin.name(), twin.words(), cells[0], cells[1]).unwrap();
    }
    page.push_str(CLOSING);
    page
}

/// What one run of the lab found, for people: severity and confidence, `part` for an alert that does not say all of it.
pub(crate) fn matrix(findings: &BTreeMap<Case, Finding>) -> String {
    let mut matrix = String::new();
    for version in [4, 6] {
        writeln!(matrix, "{:24}{}", format!("IPv{version}"), Quality::ALL.map(|quality| format!("{:12}", quality.name())).concat())
            .unwrap();
        for attack in Attack::ALL {
            let found = Quality::ALL.map(|quality| findings.get(&Case { scene: Scene::Attack(attack, quality), version }));
            let cells = found.map(|finding| format!("{:12}", finding.map_or_else(String::new, Finding::cell)));
            writeln!(matrix, "{:24}{}", attack.name(), cells.concat()).unwrap();
        }
        let quiet = |twin: &Twin| matches!(findings.get(&Case { scene: Scene::Twin(*twin), version }), Some(Finding::Quiet(_)));
        writeln!(matrix, "{} of {} harmless twins are quiet", Twin::ALL.iter().filter(|twin| quiet(twin)).count(), Twin::ALL.len())
            .unwrap();
    }
    matrix
}

fn cell(scene: Scene, version: u8) -> String {
    match expected(&Case { scene, version }) {
        None => "open".to_owned(),
        Some(expected) if expected.alerts.is_empty() => "quiet".to_owned(),
        Some(expected) => expected.alerts.iter().map(|alert| format!("severity {}", alert.max_severity)).collect::<Vec<_>>().join(", "),
    }
}

const OPENING: &str = "\
# Where detection ends

The tables come from the lab of `tests/lab/`: real TCP stacks in network namespaces, a line with 20 ms of delay each way, and an attacker that imitates
the server's headers from badly to perfectly. Each cell is a capture in `pcaps/lab-<attack>-<quality>-ip<version>/`, which the tests replay.
`SIDEWATCH_BLESS=1 cargo test` writes this page anew from what is expected of them; `SIDEWATCH_RECORD=1 cargo test lab::` as root records those that have no folder.

How well the attacker imitates, each step with those before it:

| | imitated |
|---|---|
| q0 | nothing: TTL of its own place, IP-ID 1, window 8192, no DF, no options, at once |
| q1 | TTL |
| q2 | DF, flow label, window field |
| q3 | IP-ID, and the time at which a server's answer could come (IPv6 has no IP-ID) |
| q4 | timestamps that continue the server's clock, and the scaled window |

\"severity N\": one alert of at most that number, on exactly the frames that the attacker sent, with the right verdict. \"quiet\": no alert of severity 1 or 2;
there may be a record of severity 3 for the shape of a redirect or for a mark too weak to wake anybody.
\"open\": the lab plays it, but what the program says of it is not right in every point (another place of the attacker,
frames left out, too low a severity, an honest frame blamed), and no capture of it is kept.
";

const ATTACKS: &str = "\n## What the attacks are\n\n";

const TWINS: &str = "
## Harmless twins

| twin | what it is | IPv4 | IPv6 |
|---|---|---|---|
";

const OPENED: &str = "
## What is open, and why

";

/// The cases that have no folder, by attack, and what is said of them that is not right.
pub(crate) const OPEN: &[(&[&str], &str)] = &[];

const CLOSING: &str = "
## What this means

- **A race leaves two versions of the same bytes**, and no imitation of headers hides that. What remains for the attacker is to keep the genuine answer away,
  or to make the client acknowledge what the server never sent before it asks: the server then ignores the request, and there is no second version
  (`race-before-request`, `race-syn-ack`). Then the server betrays the forgery all the same: by a bare acknowledgment that counts its stream short of the
  forged bytes, and by a reset of what the client acknowledges of the false SYN-ACK. Where neither comes, the headers decide, as in the path.
- **A forged close is contradicted by the server that goes on** (`race-rst`, `race-fin`). That alone is worth severity 2; two marks in the
  headers make it 1.
- **In the path, headers are all that is left.** An attacker that copies TTL, DF, window and IP-ID is still betrayed by a missing timestamps option,
  where client and server negotiated it. One that continues the server's clock too, and waits as long as the server would, cannot be told from the
  server at one point of the road. Only the content can then be compared, from another place, or the redirect's target with a list.
- **Without timestamps less is left.** Against a server that uses none, the alert ends with the IP-ID over IPv4, and with window and flow label over IPv6
  (`in-path-plain`). One mark alone is a record of severity 3, except of a bare answer that leads away and is there before half of a round trip is over.
- **A reset in the path says little.** Honest stacks send it without timestamps and often without a window, so that one which copies TTL and DF is like a
  server's own, and over IPv6 any is.
- **IPv6 tells less**: neither IP-ID nor DF, so that hop limit, window, flow label and timestamps carry the judgement. A label tells only where the
  server's other packets all bear one and the same.
- **The lab is small.** One round trip of 40 ms, one stack (Linux) at both ends, connections of one or two requests, an attacker that knows what it sees and no more.
  Sites with another stack, without timestamps, or with constant IP-IDs give fewer marks than these.
";
