//! Words about the page of another site that led to a request: an advertisement's redirect is not the page's.

use super::explain::short;
use super::{Alert, Lead};
use crate::engine::protocol::http::Wants;

/// Who most likely made a redirect that the server itself sent.
pub(super) fn maker(alert: &Alert) -> &'static str {
    match other_page(alert) {
        Some(_) => "what that page shows, such as an advertisement, most likely made it, and not the site of that page",
        None => "the site itself, or something that it shows such as an advertisement, most likely made it",
    }
}

/// The same for a headline.
pub(super) fn maker_in_short(alert: &Alert) -> &'static str {
    match other_page(alert) {
        Some(_) => "an advertisement or a link of another site's page",
        None => "the site itself or by something on its page",
    }
}

/// That a page led to what was asked for, to follow that; nothing where it is the site's own.
pub(super) fn by_page(alert: &Alert) -> String {
    let Some((redirect, page)) = alert.redirect.as_ref().zip(other_page(alert)) else { return String::new() };
    let how = match redirect.wants {
        Wants::Part | Wants::Frame => "as a part of",
        Wants::Page | Wants::Unknown => "by way of",
    };
    format!(" {how} the page {}", short(&page.url))
}

fn other_page(alert: &Alert) -> Option<&Lead> {
    alert.redirect.as_ref()?.other_page()
}
