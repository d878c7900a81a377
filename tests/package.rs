//! What is shipped as a Debian package: units that are tight, and a life from installation to purge under a real systemd.

mod life;
mod machine;
mod units;

use std::path::Path;
use std::process::{Command, Output};

/// The sources.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_there(program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).exists()));
    found || Path::new("/usr/sbin").join(program).exists()
}

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The package of the build that is tested, with a revision of its own.
fn package(folder: &Path, revision: &str) {
    let built = Path::new(env!("CARGO_BIN_EXE_sidewatch"));
    let pages = root().join("target/pages");
    let made = run(built.to_str().unwrap(), &["pages", pages.to_str().unwrap()]);
    assert!(made.status.success(), "{}", words(&made));
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let target = built.parent().unwrap().parent().unwrap();
    let path = folder.join(format!("sidewatch-{revision}.deb"));
    let output = Command::new(env!("CARGO"))
        .args(["deb", "--no-build", "--no-strip", "--fast", "--profile", profile, "--deb-revision", revision, "--output"])
        .arg(&path)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", words(&output));
}
