//! Files that are not as they should be: another program's, a newer build's, damaged ones.

use std::fs;
use std::os::unix::fs::FileExt;

use rusqlite::Connection;

use super::*;
use crate::store::schema;

fn database(folder: &Path) -> std::path::PathBuf {
    folder.join("alerts.db")
}

/// Writes over some bytes of the file, as a disk that fails would.
fn damage(path: &Path, places: impl IntoIterator<Item = u64>) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    places.into_iter().for_each(|place| file.write_all_at(&[0xa5; 600], place).unwrap());
}

#[test]
fn a_newer_builds_database_is_refused_in_words_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(&settings(folder.path()), &[]).unwrap());
    Connection::open(database(folder.path())).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    let before = fs::read(database(folder.path())).unwrap();
    let error = Store::open(&settings(folder.path()), &[]).unwrap_err().to_string();
    let words = format!(
        "written by a newer Sidewatch (schema 7, this build knows {}): install that version or move the file away",
        schema::newest()
    );
    assert!(error.contains(&words), "{error}");
    assert_eq!(fs::read(database(folder.path())).unwrap(), before);
}

#[test]
fn another_programs_database_is_refused_in_words_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Connection::open(database(folder.path())).unwrap().execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    let before = fs::read(database(folder.path())).unwrap();
    let error = Store::open(&settings(folder.path()), &[]).unwrap_err().to_string();
    assert!(error.contains("another program's database"), "{error}");
    assert_eq!(fs::read(database(folder.path())).unwrap(), before);
}

#[test]
fn a_step_forward_is_made_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(database(folder.path())).unwrap();
    let version = |connection: &Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let bad = "CREATE TABLE later (x INTEGER) STRICT; INSERT INTO nothing VALUES (1)";
    let first = schema::STEPS[0];
    schema::migrate(&mut connection, &[first]).unwrap();
    schema::migrate(&mut connection, &[first, bad]).unwrap_err();
    assert_eq!(version(&connection), 1);
    connection.execute_batch("SELECT count(*) FROM alert").unwrap();
    assert!(connection.prepare("SELECT * FROM later").is_err(), "half a step stayed");
    schema::migrate(&mut connection, &[first, "ALTER TABLE alert ADD COLUMN note TEXT", "CREATE TABLE later (x INTEGER) STRICT"]).unwrap();
    assert_eq!(version(&connection), 3);
    connection.execute_batch("SELECT note FROM alert; SELECT x FROM later").unwrap();
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(database(folder.path()), "not a database, and longer than a header of one would be: ".repeat(50)).unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let aside = store.set_aside().unwrap();
    assert!(fs::read(&aside.path).unwrap().starts_with(b"not a database") && aside.alerts == 0, "{aside:?}");
    store.commit(&[alert(1)], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1)]);
}

#[test]
fn of_a_damaged_database_what_can_be_read_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file"), sink("hook")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let records: Vec<Record> = (1..=600).map(|number| Record { explanation: "x".repeat(900), ..alert(number) }).collect();
    store.commit(&records, &sinks).unwrap();
    store.pend(&[alert(601)]).unwrap();
    assert_eq!(deliver_all(&store, "file").len(), 600);
    drop(store);
    let length = fs::metadata(database(folder.path())).unwrap().len();
    damage(&database(folder.path()), (1..8).map(|part| part * length / 9));
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let aside = store.set_aside().unwrap();
    assert!(aside.alerts > 400 && aside.waiting > 300, "{aside:?}");
    assert_eq!(fs::metadata(&aside.path).unwrap().len(), length, "the damaged file stays as it was");
    let told = deliver_all(&store, "hook");
    assert!(told.len() > 400 && told.is_sorted(), "{} were told", told.len());
    store.commit(&[alert(700)], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "hook"), [id(700)]);
}

#[test]
fn damage_that_shows_at_work_is_an_error_that_says_so_and_reopening_helps() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&(1..=300).map(alert).collect::<Vec<_>>(), &sinks).unwrap();
    store.pend(&[alert(301)]).unwrap();
    store.0.connections.tend(crate::store::retain::cut_journal).unwrap();
    let length = fs::metadata(database(folder.path())).unwrap().len();
    damage(&database(folder.path()), (2..length / 4096).map(|page| page * 4096));
    // Pages that are held in memory are sound still.
    store.0.connections.exchange(|| Ok(())).unwrap();
    let error = store.commit(&[alert(400)], &sinks).unwrap_err();
    assert!(error.is_corrupt(), "{error}");
    store.reopen().unwrap();
    let aside = store.set_aside().unwrap();
    store.commit(&[alert(400)], &sinks).unwrap();
    assert!(deliver_all(&store, "file").contains(&id(400)), "{aside:?}");
    store.reopen().unwrap();
    assert_eq!(store.set_aside(), Some(aside), "a sound database stays in place");
}

#[test]
fn who_delivers_goes_on_after_damage() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&(1..=300).map(alert).collect::<Vec<_>>(), &sinks).unwrap();
    store.0.connections.tend(crate::store::retain::cut_journal).unwrap();
    let length = fs::metadata(database(folder.path())).unwrap().len();
    damage(&database(folder.path()), (20..length / 4096).filter(|page| page % 3 == 0).map(|page| page * 4096));
    store.0.connections.exchange(|| Ok(())).unwrap();
    let told = deliver_all(&store, "file");
    let aside = store.set_aside();
    assert!(told.len() > 100 && aside.is_some(), "{} were told, {aside:?}", told.len());
}

#[test]
fn of_damaged_databases_only_the_last_ones_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    for turn in 0..5 {
        fs::write(database(folder.path()), format!("no database, turn {turn}; ").repeat(100)).unwrap();
        drop(Store::open(&settings(folder.path()), &[]).unwrap());
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("damaged")).count(), 3);
}
