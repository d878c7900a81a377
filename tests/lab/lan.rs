//! The local network in the lab: real kernels on one switch that floods every frame, and among them a machine that lies, or one that changes harmlessly.

mod claims;
mod detours;
mod names;
mod network;
mod programs;
mod record;
pub(crate) mod road;
mod settings;

use super::namespaces::missing;
use super::say;
use crate::support::cases::Expected;
use network::Lan;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::thread;

/// Scenes that are played at once: most of a scene is waiting.
const AT_A_TIME: usize = 10;

/// What is played, and what must be said of it.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    about: &'static str,
    play: fn(&mut Lan) -> io::Result<()>,
    truth: Truth,
    /// Programs without which it is not played.
    needs: &'static [&'static str],
}

/// What is so.
#[derive(Clone, Copy)]
enum Truth {
    /// Something was forged: the mechanism that must be told of, and a signal of it.
    Forged(&'static str, &'static str),
    /// It wakes nobody, though it looks like these mechanisms.
    Harmless(&'static [&'static str]),
}

/// All scenes.
pub(crate) fn scenes() -> Vec<&'static Scene> {
    claims::SCENES.iter().chain(&detours::SCENES).chain(&settings::SCENES).chain(&names::SCENES).collect()
}

#[test]
fn claims_between_real_kernels_are_found_and_their_harmless_changes_are_not() {
    if let Some(reason) = missing() {
        return say(&format!("lab of the local network: skipped, {reason}\n"));
    }
    let (all, mut wrong) = (scenes(), Vec::new());
    let playable: Vec<&Scene> = all.into_iter().filter(|scene| can_be_played(scene)).collect();
    for some in playable.chunks(AT_A_TIME) {
        thread::scope(|scope| {
            let playing: Vec<_> = some.iter().map(|scene| scope.spawn(|| played(scene))).collect();
            wrong.extend(playing.into_iter().filter_map(|scene| scene.join().unwrap().err()));
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_recorded_in_the_local_network_is_what_its_scenes_say() {
    if std::env::var_os("SIDEWATCH_RECORD").is_some() {
        return;
    }
    for scene in scenes() {
        let text =
            fs::read_to_string(record::folder(scene).join("expected.json")).unwrap_or_else(|_| panic!("{} has no folder", scene.name));
        let expected: Expected = serde_json::from_str(&text).unwrap();
        let told: Vec<&str> = expected.alerts.iter().map(|alert| &*alert.mechanism).collect();
        match scene.truth {
            Truth::Forged(mechanism, _) => assert_eq!(told, [mechanism], "{}", scene.name),
            Truth::Harmless(like) => {
                assert!(told.is_empty(), "{}", scene.name);
                assert_eq!(expected.twin_of, like, "{}", scene.name);
            }
        }
    }
}

/// Whether the programs are there that it needs.
fn can_be_played(scene: &Scene) -> bool {
    let is_there = |program: &&&str| Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let missing: Vec<_> = scene.needs.iter().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        say(&format!("{}: skipped, without {missing:?}\n", scene.name));
        return false;
    }
    let settings = !scene.needs.contains(&names::CLIENT) || names::gives_settings();
    if !settings {
        say(&format!("{}: skipped, this machine lets nothing be laid over /etc/resolv.conf\n", scene.name));
    }
    settings
}

/// Plays a scene until it turns out as it must, three times at most; what is wrong.
fn played(scene: &Scene) -> Result<(), String> {
    let mut wrong = String::new();
    for _ in 0..3 {
        match record::play(scene) {
            Ok(()) => return Ok(()),
            Err(why) => wrong = format!("{}: {why}", scene.name),
        }
    }
    Err(wrong)
}
