//! The user's filter on the wire: behind tags, which the kernel takes out of what comes in and leaves in what goes out, and around tunnels.

use std::collections::BTreeSet;

use sidewatch::capture::live::LiveError;
use sidewatch::config::Capture;

use super::cable;
use super::wire::{LAST, SHAPES, Shape, frame, read_while, send, settings, watch};

fn filtered(filter: &str) -> Capture {
    Capture { filter: Some(filter.to_owned()), ..settings(1) }
}

/// One frame of each shape by a host that is wanted and by one that is not, in both directions.
fn what_passes(filter: &str) -> Option<BTreeSet<(Shape, u8, bool)>> {
    let home = cable()?;
    let mut sockets = watch(&home, "swlab-b", &filtered(filter)).unwrap();
    let all: Vec<(Shape, u8, bool)> =
        SHAPES.iter().flat_map(|shape| [1, 2].into_iter().flat_map(move |pair| [false, true].map(|back| (*shape, pair, back)))).collect();
    let made = |back: bool| {
        let numbered = all.iter().enumerate().filter(move |(_, (_, _, way))| *way == back);
        numbered.map(|(number, (shape, pair, back))| frame(u32::try_from(number).unwrap(), *pair, *back, *shape)).collect::<Vec<_>>()
    };
    let last = [1, 2].map(|pair| frame(LAST, pair, false, Shape::Udp4));
    let given = read_while(&mut sockets, all.len(), || {
        send(&home, "swlab-b", made(true));
        send(&home, "swlab-a", made(false).into_iter().chain(last));
    });
    Some(given[0].keys().filter_map(|number| all.get(*number as usize).copied()).collect())
}

#[test]
fn a_filter_finds_its_host_behind_tags_in_both_directions() {
    let Some(passed) = what_passes("host 192.0.2.1") else { return };
    for shape in [Shape::Udp4, Shape::Tagged, Shape::TwiceTagged] {
        for back in [false, true] {
            assert!(passed.contains(&(shape, 1, back)), "{shape:?}, back: {back}");
            assert!(!passed.contains(&(shape, 2, back)), "{shape:?} of another host, back: {back}");
        }
    }
    for shape in [Shape::Session, Shape::Fragment4, Shape::Fragment6] {
        assert!(passed.contains(&(shape, 2, false)), "{shape:?} may hold what was asked for");
    }
    assert!(!passed.contains(&(Shape::Udp6, 1, false)));
}

#[test]
fn what_is_excluded_stays_out_behind_tags_in_both_directions() {
    let Some(passed) = what_passes("not host 192.0.2.1") else { return };
    for shape in [Shape::Udp4, Shape::Tagged, Shape::TwiceTagged] {
        for back in [false, true] {
            assert!(!passed.contains(&(shape, 1, back)), "{shape:?}, back: {back}");
            assert!(passed.contains(&(shape, 2, back)), "{shape:?} of another host, back: {back}");
        }
    }
}

#[test]
fn an_exact_filter_excludes_tunnels_as_well() {
    let Some(passed) = what_passes("exactly udp and host 192.0.2.1") else { return };
    assert!(passed.iter().all(|(shape, pair, _)| *pair == 1 && *shape != Shape::Session), "{passed:?}");
    assert!(passed.contains(&(Shape::Udp4, 1, true)));
}

#[test]
fn a_wrong_filter_is_refused_in_words() {
    let Some(home) = cable() else { return };
    let error = watch(&home, "swlab-b", &filtered("tcp prot 80")).unwrap_err();
    assert!(matches!(error, LiveError::Filter { .. }));
    assert!(error.to_string().contains("`tcp prot 80`") && error.to_string().contains("syntax error"), "{error}");
}
