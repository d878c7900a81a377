//! The page of another site that a request belongs to: what is answered then is something that the page shows, such as an advertisement.

use crate::engine::case::scene::Scene;
use crate::engine::protocol::url::{Address, is_cross_site};

/// By the request's Referer field; none where that names the site itself.
pub(super) fn of(scene: &Scene) -> Option<Address> {
    let page = Address::parse(scene.asked()?.referer.as_deref()?)?;
    let asked = scene.asked_address()?;
    is_cross_site(page.host(), asked.host()).then_some(page)
}
