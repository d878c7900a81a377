//! The cases of the lab, and how one is played and recorded.

use super::attack::{Attack, Quality};
use super::attacker::Attacker;
use super::recorder::Seen;
use super::topology::Lab;
use super::twins::Twin;
use super::web::visit;
use std::thread;
use std::time::{Duration, Instant};

/// What happens on the road.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    Attack(Attack, Quality),
    Twin(Twin),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case {
    pub(crate) scene: Scene,
    /// Of IP: 4 or 6.
    pub(crate) version: u8,
}

/// What the sensor saw of a case.
pub(crate) struct Recording {
    pub(crate) frames: Vec<Seen>,
    /// Numbers of the frames that the attacker sent, from 1.
    pub(crate) forged: Vec<u64>,
}

/// All cases. IPv6 has no IP-ID to imitate.
pub(crate) fn all() -> Vec<Case> {
    let attacks = Attack::ALL.into_iter().flat_map(|attack| Quality::ALL.map(|quality| Scene::Attack(attack, quality)));
    let scenes: Vec<Scene> = attacks.chain(Twin::ALL.map(Scene::Twin)).collect();
    let mut cases = Vec::new();
    for version in [4, 6] {
        let to_imitate = |scene: &&Scene| version == 4 || !matches!(scene, Scene::Attack(_, Quality::IpId));
        cases.extend(scenes.iter().filter(to_imitate).map(|scene| Case { scene: *scene, version }));
    }
    cases
}

impl Case {
    /// The name of its folder in `pcaps/`.
    pub(crate) fn name(&self) -> String {
        match self.scene {
            Scene::Attack(attack, quality) => format!("lab-{}-{}-ip{}", attack.name(), quality.name(), self.version),
            Scene::Twin(twin) => format!("lab-{}-ip{}", twin.name(), self.version),
        }
    }

    /// Why it may stay without an alert; none if it should be found.
    pub(crate) fn limit(&self) -> Option<&'static str> {
        match self.scene {
            Scene::Attack(attack, quality) => attack.limit(quality, self.version),
            Scene::Twin(_) => Some("Nothing is forged."),
        }
    }

    /// Plays it and records it; again, at most twice, if it did not go as it should on a busy machine.
    pub(crate) fn play(self, lab: &Lab) -> Result<Recording, String> {
        let mut failure = String::new();
        for _ in 0..3 {
            match self.play_once(lab) {
                Ok(recording) => return Ok(recording),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn play_once(self, lab: &Lab) -> Result<Recording, String> {
        let server = lab.unused_address(self.version).ok_or("no address is left")?;
        let (visits, quiet, hesitation): (&[&[&str]], u64, Duration) = match self.scene {
            Scene::Attack(attack, quality) => {
                lab.line.place(server, Box::new(Attacker::new(attack, quality)));
                let paths: &[&[&str]] = if attack.requests() == 2 { &[&["/first", "/second"]] } else { &[&["/first"]] };
                (paths, if attack.in_path() { 450 } else { 150 }, attack.hesitation())
            }
            Scene::Twin(twin) => {
                lab.line.place(server, twin.on_the_road());
                (twin.visits(), 150, Duration::ZERO)
            }
        };
        for paths in visits {
            let ended = lab.client.within(|| visit(server, paths, hesitation));
            if let (Scene::Twin(_), Err(error)) = (self.scene, ended) {
                return Err(format!("the visit failed: {error}"));
            }
        }
        let deadline = Instant::now() + Duration::from_secs(3);
        while lab.outside.quiet_for(server) < Duration::from_millis(quiet) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        self.collect(lab, server)
    }

    fn collect(self, lab: &Lab, server: std::net::IpAddr) -> Result<Recording, String> {
        let mut frames = lab.outside.of(server);
        match self.scene {
            Scene::Twin(Twin::MirrorTwice) => frames = frames.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect(),
            Scene::Twin(Twin::MirrorAroundRouter) => {
                frames.extend(lab.inside.of(server));
                frames.sort_by_key(|frame| frame.since_1970);
            }
            _ => {}
        }
        let sent = lab.line.forged.lock().unwrap();
        let is_forged = |frame: &Seen| sent.contains(&frame.bytes);
        let forged: Vec<u64> = (1..).zip(&frames).filter(|(_, frame)| is_forged(frame)).map(|(number, _)| number).collect();
        if frames.len() < 6 || forged.is_empty() == matches!(self.scene, Scene::Attack(..)) {
            return Err(format!("{} frames were seen, {} of them forged", frames.len(), forged.len()));
        }
        Ok(Recording { frames, forged })
    }
}

/// Plays `cases`, some at a time: most of a case is waiting.
pub(crate) fn play_all(lab: &Lab, cases: &[Case]) -> Vec<(Case, Result<Recording, String>)> {
    const AT_A_TIME: usize = 8;
    let mut results = Vec::new();
    for batch in cases.chunks(AT_A_TIME) {
        thread::scope(|scope| {
            let players: Vec<_> = batch.iter().map(|case| scope.spawn(|| (*case, case.play(lab)))).collect();
            results.extend(players.into_iter().map(|player| player.join().unwrap()));
        });
    }
    results
}
