//! TLS with authorities and certificates made for the test, by `openssl`.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use sidewatch::config::{Secret, WebhookTarget};
use sidewatch::sink::try_once;

use super::receiver::{Act, Request, serve};
use super::{Bench, alert, hook, sink, webhook};

/// Certificates in a folder: `ca`, `other-ca`, `server` for localhost, `client`; none without openssl.
pub(super) fn certificates(folder: &Path) -> bool {
    let run = |arguments: &[&str]| Command::new("openssl").args(arguments).current_dir(folder).output();
    if run(&["version"]).is_err() {
        eprintln!("skipped: openssl is not installed");
        return false;
    }
    let make = |line: &str| {
        let output = run(&line.split(' ').collect::<Vec<_>>()).unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for ca in ["ca", "other-ca"] {
        make(&format!("req -x509 {key} -keyout {ca}.key -out {ca}.pem -days 2 -subj /CN=Lab-{ca}"));
    }
    for (name, usage) in [("server", "serverAuth"), ("client", "clientAuth")] {
        std::fs::write(
            folder.join(format!("{name}.ext")),
            format!("basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\nextendedKeyUsage={usage}\n"),
        )
        .unwrap();
        make(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        make(&format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile {name}.ext"));
    }
    true
}

/// The server's side; with `shows`, clients must show a certificate of `ca`.
pub(super) fn server(folder: &Path, shows: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = |name: &str| CertificateDer::pem_file_iter(folder.join(name)).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = if shows {
        let mut roots = RootCertStore::empty();
        roots.add(certificates("ca.pem").remove(0)).unwrap();
        builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    Arc::new(builder.with_single_cert(certificates("server.pem"), key).unwrap())
}

pub(super) fn accepted(config: &Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream)
}

#[test]
fn only_the_pinned_authority_is_trusted_and_the_certificate_of_the_client_is_shown() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    if !certificates(folder) {
        return;
    }
    let config = server(folder, true);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
    let log = seen.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = accepted(&config, stream.unwrap());
            let shared = Shared(Mutex::new(&mut stream));
            serve(&shared, &shared, || Act::Answer(200, ""), &log);
        }
    });
    let pem = |name: &str| folder.join(name);
    let client = || Some((pem("client.pem"), Secret::File(pem("client.key"))));
    let tell = |host: &str, ca: Option<PathBuf>, client: Option<(PathBuf, Secret)>| {
        let target = WebhookTarget { ca, client, ..webhook(&format!("https://{host}:{port}/")) };
        bench.runtime.block_on(try_once(&sink("soc", hook(target)), &alert(1)))
    };
    tell("localhost", Some(pem("ca.pem")), client()).unwrap();
    assert!(tell("localhost", Some(pem("other-ca.pem")), client()).is_err(), "another authority");
    assert!(tell("127.0.0.1", Some(pem("ca.pem")), client()).is_err(), "another name");
    assert!(tell("localhost", Some(pem("ca.pem")), None).is_err(), "no certificate of the client");
    assert!(tell("localhost", None, client()).is_err(), "the system does not know this authority");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

/// One stream, read and written in turn.
struct Shared<'a>(Mutex<&'a mut StreamOwned<ServerConnection, TcpStream>>);

impl std::io::Read for &Shared<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().read(into)
    }
}

impl std::io::Write for &Shared<'_> {
    fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(from)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.lock().unwrap().flush()
    }
}
