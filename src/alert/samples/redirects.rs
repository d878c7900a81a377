//! Made-up alerts about redirects that nobody forged.

use super::super::{Alert, Considered, Verdict};
use super::{endpoint_redirect, redirect};

/// A log-in page.
pub(super) fn portal() -> Alert {
    Alert { verdict: Verdict::CaptivePortal, redirect: Some(redirect("http://192.168.7.1/login")), ..endpoint_redirect() }
}

/// An operator's notice.
pub(super) fn notice() -> Alert {
    let why = "the target is listed as a notice of Example Telecom (measurements of 2026, 2026-01)".to_owned();
    let considered = vec![Considered { explanation: "captive portal or operator's notice", kept: true, why }];
    Alert {
        verdict: Verdict::OperatorNotice,
        redirect: Some(redirect("http://notices.telecom.example/quota?p=7")),
        considered,
        ..endpoint_redirect()
    }
}

/// An odd one.
pub(super) fn suspicious() -> Alert {
    Alert { verdict: Verdict::SuspiciousRedirect, redirect: Some(redirect("http://a.b.c.example:30495/x")), ..endpoint_redirect() }
}
