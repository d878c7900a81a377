//! TLS of webhooks and syslog: whom to trust, and what to show.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::secret::{SecretError, whole};
use crate::config::Secret;

/// Why TLS cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of certificates cannot be read.
    #[error("{path}: {source}; it must hold certificates in PEM and be readable for the user of the daemon")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds no certificates.
    #[error("{0}: no usable certificate in PEM is in it (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate(PathBuf),
    /// The system trusts nobody.
    #[error("the system has no certificate authorities that it trusts: install `ca-certificates`, or name a file by `ca`")]
    NoRoots,
    /// The key of a client certificate cannot be read.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// Key and certificate cannot be used together.
    #[error("{certificate}: the client certificate and its key cannot be used: {why}")]
    Identity {
        /// The certificate.
        certificate: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The provider refuses its own versions.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// Settings of a client that trusts the authorities in `ca` alone, or those of the system, and shows `identity`.
///
/// # Errors
/// When a file cannot be read or used.
pub(super) fn client(ca: Option<&Path>, identity: Option<&(PathBuf, Secret)>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
    let builder = builder.with_root_certificates(roots(ca)?);
    let Some((certificate, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    let refused = |why: String| TlsError::Identity { certificate: certificate.clone(), why };
    let key = whole(key)?;
    let key = PrivateKeyDer::from_pem_slice(key.bytes()).map_err(|_| refused("the key is not in PEM".to_owned()))?;
    builder.with_client_auth_cert(certificates(certificate)?, key).map_err(|error| refused(error.to_string()))
}

/// Settings of a client that never speaks TLS.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn unused() -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) };
    };
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|_| TlsError::NoCertificate(path.to_owned()))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    parsed.ok().filter(|all| !all.is_empty()).ok_or_else(|| TlsError::NoCertificate(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_authority_that_is_none_is_an_error_and_never_means_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(matches!(client(Some(&path), None), Err(TlsError::Unreadable { .. })));
        fs::write(&path, "").unwrap();
        assert!(matches!(client(Some(&path), None), Err(TlsError::NoCertificate(_))));
        fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(matches!(client(Some(&path), None), Err(TlsError::NoCertificate(_))));
    }
}
