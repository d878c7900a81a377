//! What sinks need of this machine: certificates that can be read, authorities to trust, secrets that the service owns.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Report;
use super::places::USER;
use crate::config::{Config, Secret, SinkSettings, Target, Transport, WebhookTarget};

/// Looks at each sink. Nothing is sent: `sidewatch sinks test` does that.
pub(super) fn look(report: &mut Report, config: &Config) {
    for sink in &config.sinks {
        let before = report.wrong;
        match &sink.target {
            Target::Webhook(hook) => webhook(report, sink, hook),
            Target::Syslog(syslog) => {
                if let Some(ca) = &syslog.ca {
                    certificates(report, ca);
                } else if syslog.transport == Transport::Tls {
                    system_roots(report);
                }
            }
            Target::Journald if !Path::new("/run/systemd/journal/socket").exists() => {
                report.wrong(
                    "sink",
                    format!("{}: there is no journal on this machine", sink.name),
                    "remove this sink: systemd is not running",
                );
            }
            Target::Journald | Target::File(_) => {}
        }
        if report.wrong == before {
            report.fine("sink", format!("{}: ready; `sidewatch sinks test` tries it", sink.name));
        }
    }
}

fn webhook(report: &mut Report, sink: &SinkSettings, hook: &WebhookTarget) {
    match &hook.ca {
        Some(ca) => certificates(report, ca),
        None if hook.url.starts_with("https:") => system_roots(report),
        None => {}
    }
    if let Some((certificate, key)) = &hook.client {
        certificates(report, certificate);
        if let Some(path) = key.path()
            && let Err(error) = PrivateKeyDer::from_pem_file(&path)
        {
            report.wrong(
                "sink",
                format!("{}: {} is no private key: {error}", sink.name, path.display()),
                "give a PEM file (PKCS #8) without a password",
            );
        }
    }
    for secret in hook.secrets.iter().chain(&hook.token).chain(hook.client.as_ref().map(|(_, key)| key)) {
        owner(report, sink, secret);
    }
}

/// A secret that only root can read is of no use to the service.
fn owner(report: &mut Report, sink: &SinkSettings, secret: &Secret) {
    let Secret::File(path) = secret else { return };
    let Some(folder) = fs::metadata("/var/lib/sidewatch").ok().filter(|_| rustix::process::geteuid().is_root()) else { return };
    if let Ok(facts) = fs::metadata(path)
        && facts.uid() != folder.uid()
    {
        let words = format!("{}: the secret {} is not the service's own, and it cannot read it", sink.name, path.display());
        report.wrong("sink", words, format!("chown {USER} {}", path.display()));
    }
}

fn certificates(report: &mut Report, path: &Path) {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let fix = "give a PEM file: -----BEGIN CERTIFICATE-----";
    match read {
        Ok(read) if read.is_empty() => report.wrong("certificate", format!("{} holds no certificate", path.display()), fix),
        Ok(read) => {
            let mut roots = rustls::RootCertStore::empty();
            let (_, broken) = roots.add_parsable_certificates(read);
            if broken > 0 {
                report.wrong("certificate", format!("{}: {broken} certificates cannot be read", path.display()), fix);
            }
        }
        Err(error) => report.wrong("certificate", format!("{}: {error}", path.display()), fix),
    }
}

fn system_roots(report: &mut Report) {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map_or_else(|| ErrorKind::NotFound.to_string(), ToString::to_string);
        report.wrong(
            "certificate",
            format!("this machine trusts no certificate authority: {why}"),
            "apt-get install ca-certificates, or name one with `ca`",
        );
    }
}
