//! Certificates of an authority that a test makes, and forgets with its folder.

use std::io;
use std::path::Path;
use std::process::Command;

/// Makes `ca.pem`, and by it `certificate.pem` with `key.pem` for `name` and the loopback address, in `folder`.
pub(crate) fn certify(folder: &Path, name: &str) -> io::Result<()> {
    let curve = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let (authority, name, names) = ("/CN=Authority of the lab", format!("/CN={name}"), format!("subjectAltName=DNS:{name},IP:127.0.0.1"));
    let own = ["-subj", authority, "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", &name, "-keyout", "key.pem", "-out", "certificate.pem"];
    let leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", &names];
    for arguments in [&own[..], &[&signed[..], &leaf].concat()] {
        let made = Command::new("openssl").current_dir(folder).args(curve).args(arguments).output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
    }
    Ok(())
}
