//! By way of which pages and redirects a client came to the request that was answered.

use super::followed::address_of;
use crate::alert::{Alert, Lead, Led};
use crate::engine::contact::{Contact, Kind};
use crate::engine::protocol::http::Wants;
use crate::engine::protocol::url::Address;

/// Pages and redirects that are told of one way.
const MOST_LEADS: usize = 8;

/// What led the client to the alert's request, the first page first. `contacts` are the client's, oldest first.
pub(super) fn leads<'a>(alert: &Alert, contacts: impl Iterator<Item = &'a Contact>) -> Vec<Lead> {
    let from = alert.redirect.as_ref().and_then(|redirect| redirect.from.as_deref()).and_then(Address::parse);
    let Some(asked) = from else { return Vec::new() };
    let before: Vec<&Contact> = contacts.filter(|contact| contact.frame < alert.forged.frame).collect();
    let referer = alert.http.as_ref().and_then(|http| http.referer.as_deref()).and_then(Address::parse);
    let mut way = Way { before: &before, leads: Vec::new() };
    let mut place = Place { address: asked, referer, before: alert.forged.frame };
    while way.leads.len() < MOST_LEADS
        && let Some(earlier) = way.back(&place)
    {
        place = earlier;
    }
    way.leads.reverse();
    way.leads
}

/// Where the client was on its way.
struct Place {
    address: Address,
    /// The page that led there, by the request's own word.
    referer: Option<Address>,
    /// The frame before which that was.
    before: u64,
}

struct Way<'a> {
    before: &'a [&'a Contact],
    /// The last one first.
    leads: Vec<Lead>,
}

impl Way<'_> {
    /// One step back; none where nothing is known of it, or where the way would be a circle.
    fn back(&mut self, place: &Place) -> Option<Place> {
        // Browsers name the page and not what redirected: the redirect was the later step.
        let (how, found) = match self.redirect_to(place) {
            Some(redirected) => (Led::Redirected, redirected),
            None => (Led::Page, self.page(place)?),
        };
        let (earlier, seen) = found;
        let url = earlier.address.as_str().to_owned();
        if self.leads.iter().any(|lead| lead.url == url && lead.how == how) {
            return None;
        }
        self.leads.push(Lead { url, how, seen: seen.map(|contact| (contact.frame, contact.time)) });
        Some(earlier)
    }

    /// The latest answer that sent the client to a place.
    fn redirect_to(&self, place: &Place) -> Option<(Place, Option<&Contact>)> {
        self.earlier(place).find_map(|contact| {
            let Kind::HttpRedirect { asked, target } = &contact.kind else { return None };
            let address = address_of(asked, contact.server)?;
            is_same(&address.resolve(target)?, &place.address).then(|| (Place::of(address, asked.referer(), contact), Some(contact)))
        })
    }

    /// The page that a request names.
    fn page(&self, place: &Place) -> Option<(Place, Option<&Contact>)> {
        let page = place.referer.clone()?;
        // To another site browsers tell no more of the page than its site.
        let is_site = page.path() == "/" && page.query().is_none();
        let is_page = |address: &Address, _| is_same(address, &page);
        let is_on_site = |address: &Address, wants| wants == Wants::Page && (address.host(), address.port()) == (page.host(), page.port());
        let found = self.request(place, is_page).or_else(|| if is_site { self.request(place, is_on_site) } else { None });
        Some(found.unwrap_or((Place { address: page, referer: None, before: place.before }, None)))
    }

    /// The latest request of a kind.
    fn request(&self, place: &Place, is_it: impl Fn(&Address, Wants) -> bool) -> Option<(Place, Option<&Contact>)> {
        self.earlier(place).find_map(|contact| {
            let Kind::HttpRequest(asked) = &contact.kind else { return None };
            let address = address_of(asked, contact.server)?;
            is_it(&address, asked.wants).then(|| (Place::of(address, asked.referer(), contact), Some(contact)))
        })
    }

    /// What the client did before, the latest first.
    fn earlier(&self, place: &Place) -> impl Iterator<Item = &Contact> {
        let before = place.before;
        self.before.iter().rev().copied().filter(move |contact| contact.frame < before)
    }
}

impl Place {
    fn of(address: Address, referer: Option<&str>, contact: &Contact) -> Self {
        Self { address, referer: referer.and_then(Address::parse), before: contact.frame }
    }
}

/// Two addresses ask for the same; what stands behind a `#` is not asked for.
fn is_same(one: &Address, other: &Address) -> bool {
    (one.host(), one.port(), one.path(), one.query()) == (other.host(), other.port(), other.path(), other.query())
}
