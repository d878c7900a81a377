//! Secrets of sinks: read from files or systemd's credentials, held where no log can print them.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::Secret;

/// Bytes of a secret's file at most; a private key in PEM is below 8 KiB.
const LARGEST: u64 = 64 * 1024;

/// Bytes of a signing key, by Standard Webhooks 1.0.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What Standard Webhooks puts before a signing secret.
const KEY_PREFIX: &str = "whsec_";

/// Why a secret cannot be used. None holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("the secret {path} cannot be read: {source}; it must exist and be readable for the user of the daemon")]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There are no credentials.
    #[error("the credential {0:?} is not there: `LoadCredential={0}:FILE` in the unit hands it over, and only systemd does")]
    NoCredentials(String),
    /// It is empty, too large, or no text.
    #[error("the secret {0} is empty, not text, or larger than 64 KiB")]
    Unfit(PathBuf),
    /// It is no signing key.
    #[error("the secret {0} is no signing key: `whsec_` and 24 to 64 bytes in base64, as from `echo whsec_$(openssl rand -base64 32)`")]
    NoKey(PathBuf),
    /// It has characters that no header can carry.
    #[error("the token {0} holds characters that HTTP cannot carry: one line of printable ASCII is needed")]
    NoToken(PathBuf),
}

/// A secret in memory, which prints as nothing.
#[derive(Clone)]
pub(super) struct Hidden(Vec<u8>);

impl Hidden {
    /// The secret itself.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A signing key of Standard Webhooks.
///
/// # Errors
/// When it cannot be read or is no key.
pub(super) fn signing_key(secret: &Secret) -> Result<Hidden, SecretError> {
    let path = place(secret)?;
    let text = text(&path)?;
    let key = text.trim().strip_prefix(KEY_PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
    key.filter(|key| KEY_BYTES.contains(&key.len())).map(Hidden).ok_or(SecretError::NoKey(path))
}

/// A token: one line that a header can carry.
///
/// # Errors
/// When it cannot be read or is none.
pub(super) fn token(secret: &Secret) -> Result<Hidden, SecretError> {
    let path = place(secret)?;
    let text = text(&path)?;
    let line = text.trim();
    let fits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if fits { Ok(Hidden(line.as_bytes().to_vec())) } else { Err(SecretError::NoToken(path)) }
}

/// A secret as it is in its file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn whole(secret: &Secret) -> Result<Hidden, SecretError> {
    Ok(Hidden(text(&place(secret)?)?.into_bytes()))
}

/// Where a secret lies.
///
/// # Errors
/// When it is a credential and systemd handed none over.
pub(super) fn place(secret: &Secret) -> Result<PathBuf, SecretError> {
    match secret {
        Secret::File(path) => Ok(path.clone()),
        Secret::Credential(name) => {
            let folder = env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
            Ok(Path::new(&folder).join(name))
        }
    }
}

fn text(path: &Path) -> Result<String, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let fits = !bytes.is_empty() && bytes.len() as u64 <= LARGEST;
    String::from_utf8(bytes).ok().filter(|_| fits).ok_or_else(|| SecretError::Unfit(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> (tempfile::TempDir, Secret) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        (folder, Secret::File(path))
    }

    #[test]
    fn a_key_is_what_standard_webhooks_calls_one() {
        let (_folder, secret) = kept("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
        assert_eq!(signing_key(&secret).unwrap().bytes().len(), 24);
        for bad in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAA", "whsec_%%%", &format!("whsec_{}", STANDARD.encode([7; 65]))] {
            let (_folder, secret) = kept(bad);
            assert!(matches!(signing_key(&secret), Err(SecretError::NoKey(_))), "{bad}");
        }
    }

    #[test]
    fn no_error_and_no_debug_text_tells_a_secret() {
        let (_folder, secret) = kept("whsec_hunter2hunter2");
        let error = signing_key(&secret).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let (_folder, secret) = kept("hunter2");
        assert_eq!(format!("{:?}", token(&secret).unwrap()), "(hidden)");
    }

    #[test]
    fn a_token_of_two_lines_is_refused_because_it_would_make_a_header_of_its_own() {
        let (_folder, secret) = kept("one\r\nX-Other: two");
        assert!(matches!(token(&secret), Err(SecretError::NoToken(_))));
    }

    #[test]
    fn an_endless_or_empty_secret_is_refused() {
        let (_folder, secret) = kept("");
        assert!(matches!(whole(&secret), Err(SecretError::Unfit(_))));
        assert!(matches!(whole(&Secret::File(PathBuf::from("/dev/zero"))), Err(SecretError::Unfit(_))));
    }
}
