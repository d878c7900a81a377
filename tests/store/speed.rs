//! How fast alerts are committed: a figure for the notes, with a floor far below it.

use std::time::Instant;

use super::*;

#[test]
fn commits_keep_up_with_any_attack() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&settings(folder.path()), &sinks()).unwrap();
    let begun = Instant::now();
    (0..200).for_each(|number| store.commit(&[alert(number)], &sinks()).unwrap());
    let single = 200.0 / begun.elapsed().as_secs_f64();
    let groups: Vec<Vec<Record>> = (0..20).map(|group| (0..100).map(|number| alert(1_000 + group * 100 + number)).collect()).collect();
    let begun = Instant::now();
    groups.iter().for_each(|group| store.commit(group, &sinks()).unwrap());
    let grouped = 2_000.0 / begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let told = deliver_all(&store, "all").len();
    let delivered = told as f64 / begun.elapsed().as_secs_f64();
    say(&format!(
        "store: {single:.0} commits of one alert a second, {grouped:.0} alerts a second in groups of 100, {delivered:.0} deliveries noted a second"
    ));
    assert_eq!(told, 2_200);
    assert!(grouped > 100.0, "{grouped} alerts a second");
}
