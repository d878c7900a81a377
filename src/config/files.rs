//! The file of settings read from the disk, and the files that it names: whether they are there, and whether secrets are secret.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::file::{Named, NamedAs, parse};
use super::sheet::{Flaw, Sheet};
use super::sinks::web_address;
use super::{Config, Secret, Target};
use crate::rules::Diagnostic;
use crate::rules::diagnosis::Page;

/// Bytes of a file of settings.
const LARGEST: u64 = 1 << 20;
/// Bytes of a secret: a key of a client certificate is the longest.
const LONGEST_SECRET: u64 = 64 << 10;

impl Config {
    /// Reads and checks a file of settings, and looks at the files that it names.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn read(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let name = path.display().to_string();
        let text =
            text_of(path).map_err(|flaw| vec![Diagnostic { file: name.clone(), line: 0, column: 0, what: flaw.what, fix: flaw.fix }])?;
        let page = Page { file: &name, text: &text };
        let mut written = parse(page);
        let mut sheet = Sheet::new(page);
        for Named { what, span } in &written.named {
            if let Err(flaw) = look_at(what, &mut written.config) {
                sheet.complain(span, flaw);
            }
        }
        written.wrong.append(&mut sheet.wrong);
        written.wrong.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        if written.wrong.is_empty() { Ok(written.config) } else { Err(written.wrong) }
    }
}

fn text_of(path: &Path) -> Result<String, Flaw> {
    let fix = "give --config FILE, or write the file anew: the package has it as /usr/share/doc/sidewatch/sidewatch.toml";
    let broken = |what: String| Flaw { what, fix: fix.to_owned() };
    let file = File::open(path).map_err(|error| broken(format!("cannot be read: {}", plain(&error))))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| broken(format!("cannot be read: {}", plain(&error))))?;
    if bytes.len() as u64 > LARGEST {
        return Err(broken("is larger than 1 MiB".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| broken(format!("is no text in UTF-8, from byte {}", error.utf8_error().valid_up_to())))
}

fn look_at(what: &NamedAs, config: &mut Config) -> Result<(), Flaw> {
    match what {
        NamedAs::Path(key, path) => facts(path).map(drop).map_err(|why| Flaw {
            what: format!("{}, which `{key}` names, {why}", path.display()),
            fix: "correct the path, or remove it from the list".to_owned(),
        }),
        NamedAs::File(key, path) => match facts(path) {
            Ok(facts) if facts.is_file() => Ok(()),
            Ok(_) => Err("is no file".to_owned()),
            Err(why) => Err(why),
        }
        .map_err(|why| Flaw {
            what: format!("{}, which `{key}` names, {why}", path.display()),
            fix: "give the path of a PEM file".to_owned(),
        }),
        NamedAs::Secret(secret) => secret.check(),
        NamedAs::Url(secret, sink) => {
            secret.check()?;
            let url = secret.read().and_then(|url| {
                web_address(url.trim()).map_err(|flaw| Flaw { what: format!("what is kept there {}", flaw.what), ..flaw })
            })?;
            if let Some(Target::Webhook(hook)) = config.sinks.get_mut(*sink).map(|sink| &mut sink.target) {
                hook.url = url;
            }
            Ok(())
        }
    }
}

impl Secret {
    /// Where the secret is kept. None of a credential when nobody hands out credentials: outside of the service.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Credential(name) => std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name)),
        }
    }

    /// Whether it is there, and nobody else can read it. A credential is not looked for outside of the service.
    fn check(&self) -> Result<(), Flaw> {
        let Some(path) = self.path() else { return Ok(()) };
        let shown = path.display();
        let there = facts(&path).map_err(|why| match self {
            Self::File(_) => {
                Flaw { what: format!("the secret {shown} {why}"), fix: format!("make it: install -m 600 -o sidewatch /dev/stdin {shown}") }
            }
            Self::Credential(name) => Flaw {
                what: format!("the credential {name} {why}"),
                fix: format!("add LoadCredential={name}:PATH to the unit (systemctl edit sidewatch)"),
            },
        })?;
        if !there.is_file() {
            return Err(Flaw { what: format!("the secret {shown} is no file"), fix: "name the file that holds it".to_owned() });
        }
        // systemd guards credentials by the folder that they are in, and shows their mode as the bits of an access list.
        if matches!(self, Self::File(_)) && there.mode() & 0o077 != 0 {
            let what = format!("the secret {shown} has mode {:04o}: others than its owner can use it", there.mode() & 0o7777);
            return Err(Flaw { what, fix: format!("chmod 600 {shown}") });
        }
        self.read().map(drop)
    }

    fn read(&self) -> Result<String, Flaw> {
        let Some(path) = self.path() else {
            let what = "is kept as a credential, which only the service is given".to_owned();
            return Err(Flaw { what, fix: "keep it in a file, or check from within the service".to_owned() });
        };
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(LONGEST_SECRET).read_to_string(&mut text));
        match read {
            Ok(_) if text.trim().is_empty() => {
                Err(Flaw { what: format!("the secret {} is empty", path.display()), fix: "write the secret into it".to_owned() })
            }
            Ok(_) => Ok(text),
            Err(error) => Err(Flaw {
                what: format!("the secret {} cannot be read: {}", path.display(), plain(&error)),
                fix: format!("give it to whom the service runs as: chown sidewatch {}", path.display()),
            }),
        }
    }
}

fn facts(path: &Path) -> Result<Metadata, String> {
    fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be looked at: {}", plain(&error)),
    })
}

/// An error of the system without its number.
fn plain(error: &std::io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_owned()
}
