//! The page `docs/limits.md`: where detection ends, as the recorded cases say.

use super::attacker::{Attack, Quality};
use super::cases::{Case, Scene, all};
use super::folder::expected;
use super::twins::Twin;
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

fn cell(scene: Scene, version: u8) -> String {
    let case: Option<Case> = all().into_iter().find(|case| case.scene == scene && case.version == version);
    match case.and_then(|case| expected(&case)) {
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

\"severity N\": one alert of at most that number, on exactly the frames that the attacker sent, with the right verdict. \"quiet\": no alert of severity 1 or 2.
\"open\": the lab plays it, but what the program says of it is not right in every point, and no capture of it is kept.
";

const ATTACKS: &str = "\n## What the attacks are\n\n";

const TWINS: &str = "
## Harmless twins

| twin | what it is | IPv4 | IPv6 |
|---|---|---|---|
";

const CLOSING: &str = "
## What this means

- **A race leaves two versions of the same bytes**, and no imitation of headers hides that. What remains for the attacker is to keep the genuine answer away.
- **In the path, headers are all that is left.** An attacker that copies TTL, DF, window and IP-ID is still betrayed by a missing timestamps option,
  where client and server negotiated it. One that continues the server's clock too, and waits as long as the server would, cannot be told from the
  server at one point of the road. Only the content can then be compared, from another place, or the redirect's target with a list.
- **A reset says little.** Honest stacks send it without timestamps and often without a window, so that one in the path which copies the TTL is like a server's own.
- **IPv6 tells less**: neither IP-ID nor DF, so that a hop limit and the timestamps carry the judgement.
- **The lab is small.** One round trip of 40 ms, one stack (Linux) at both ends, connections of one or two requests, an attacker that knows what it sees and no more.
  Sites with another stack, without timestamps, or with constant IP-IDs give fewer marks than these.
";
