//! Facts about web answers that need one place where all are seen: who wants https, who answers by http, and what a page was.

use std::sync::Arc;

use super::flow::Flow;
use super::flow::event::FlowEvent;
use super::flow::memory::Pool;
use super::flow::record::Record;
use super::observation::{FlowFacts, Observation, What};
use super::protocol::http::{Event, RedirectKind, Response};
use super::time::Timestamp;
use super::watch;

/// Longer bodies are not read to their end: no longer than what is kept of a script, and of a page (`Limits::http_body`) half of it.
const READ: u64 = 4 << 10;

/// Types of what is run, installed or set up when it arrives, as the IANA lists them or servers send them.
const PROGRAMS: [&str; 14] = [
    "application/octet-stream",
    "application/x-msdownload",
    "application/x-msdos-program",
    "application/x-msi",
    "application/vnd.microsoft.portable-executable",
    "application/vnd.android.package-archive",
    "application/x-apple-diskimage",
    "application/x-apple-aspen-config",
    "application/x-ns-proxy-autoconfig",
    "application/vnd.debian.binary-package",
    "application/x-debian-package",
    "application/x-rpm",
    "application/java-archive",
    "application/zip",
];

/// A fact.
#[derive(Clone, Debug)]
pub struct Web {
    /// The packet in which the answer begins.
    pub record: Record,
    /// The host that was asked, in lower case, without port and last dot.
    pub host: String,
    /// What it was asked for, as sent.
    pub target: Box<str>,
    /// The User-Agent of the request.
    pub user_agent: Option<Box<str>>,
    /// What the answer says.
    pub fact: Fact,
    /// What its content is under a validator.
    pub version: Option<Version>,
    /// The connection.
    pub flow: FlowFacts,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The host wants to be asked by https.
    WantsTls,
    /// A page by http: the first of its connection.
    PlainPage,
    /// No more than what its content is.
    Version,
}

/// A content that a validator names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The validator, as a number.
    pub validator: u64,
    /// What it is by its type.
    pub sort: Sort,
    /// Its Content-Length.
    pub length: Option<u64>,
    /// The bytes, where they were read to their end.
    pub whole: Option<Whole>,
}

/// A whole body, as far as it can be compared with another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The number of its bytes as sent.
    pub number: u64,
    /// The bytes of a page that is not coded.
    pub page: Option<Arc<Vec<u8>>>,
}

/// What a browser does with a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It shows it.
    Page,
    /// It runs it in a page.
    Script,
    /// It hands it to the system, which runs or installs it.
    Program,
}

/// The fact that an event of a flow is.
pub(super) fn observe(flow: &mut Flow, event: &FlowEvent, pool: &Pool, now: Timestamp) -> Option<Observation> {
    let FlowEvent::Http(event) = event else { return None };
    let (response, fact, version) = match event {
        Event::Head(response) => (response.as_ref(), of_head(flow, response), unread_version(response)),
        Event::Whole(number) => {
            let page = flow.http.as_mut().and_then(|http| http.take_page()).map(Arc::new);
            let response = flow.last_answer.as_deref()?;
            let sort = if page.is_some() || response.is_page() { Sort::Page } else { Sort::Script };
            let version = version(response, sort, Some(Whole { number: *number, page }))?;
            (response, None, Some(version))
        }
        Event::Body(_) => return None,
    };
    if fact.is_none() && version.is_none() {
        return None;
    }
    let fact = fact.unwrap_or(Fact::Version);
    let request = response.request.as_ref()?;
    let host = host_of(request.host.as_deref()?);
    let record = watch::find(flow, pool, response.first.frame)?;
    let (target, user_agent, facts) = (request.target.clone(), request.user_agent.clone(), FlowFacts::of(flow));
    flow.page_told |= fact == Fact::PlainPage;
    Some(Observation { at: now, what: What::Web(Box::new(Web { record, host, target, user_agent, fact, version, flow: facts })) })
}

fn version(response: &Response, sort: Sort, whole: Option<Whole>) -> Option<Version> {
    Some(Version { validator: response.validator?, sort, length: response.content_length, whole })
}

/// The version of a content whose bytes are not read to their end: its length is all that there is to compare.
fn unread_version(response: &Response) -> Option<Version> {
    let (_, length) = response.validator.zip(response.content_length)?;
    let kind = response.content_type.as_deref().filter(|_| response.status == 200)?;
    let sort = if response.is_page() { Sort::Page } else { runs(kind)? };
    let is_read = length <= READ && sort != Sort::Program;
    let is_asked = response.request.as_ref().is_some_and(|request| &*request.method == "GET");
    if is_read || !is_asked { None } else { version(response, sort, None) }
}

/// What is run or installed, by its type; of pictures and the like it does not matter whether they are the same.
fn runs(kind: &str) -> Option<Sort> {
    let end = memchr::memchr(b';', kind.as_bytes()).unwrap_or(kind.len());
    let kind = kind.get(..end)?.trim_ascii();
    let ends =
        |end: &str| kind.len().checked_sub(end.len()).and_then(|at| kind.get(at..)).is_some_and(|rest| rest.eq_ignore_ascii_case(end));
    if ends("javascript") || ends("ecmascript") {
        return Some(Sort::Script);
    }
    PROGRAMS.iter().any(|known| kind.eq_ignore_ascii_case(known)).then_some(Sort::Program)
}

fn of_head(flow: &Flow, response: &Response) -> Option<Fact> {
    let request = response.request.as_ref()?;
    // Over http the field is not believed by browsers (RFC 6797, section 8.1), but it tells what the host wants.
    if response.demands_tls || leads_to_tls(flow, response) {
        return Some(Fact::WantsTls);
    }
    (response.status == 200 && !flow.page_told && response.is_page() && &*request.method == "GET").then_some(Fact::PlainPage)
}

/// A redirect to https on the same host.
fn leads_to_tls(flow: &Flow, response: &Response) -> bool {
    let mut secure = response.redirects.iter().filter(|to| to.kind == RedirectKind::Status && to.target.starts_with("https")).peekable();
    secure.peek().is_some()
        && watch::asked(flow, response)
            .is_some_and(|from| secure.any(|to| from.resolve(&to.target).is_some_and(|to| to.host() == from.host())))
}

/// The host of a Host field. Not read as an address is: each page of each connection pays for this.
fn host_of(field: &str) -> String {
    let end = match field.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(at) => at + 2,
        None => field.find(':').unwrap_or(field.len()),
    };
    field.get(..end).unwrap_or(field).trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_is_told_without_port_case_and_last_dot() {
        let fields = ["News.Example", "news.example.:8080", "[2001:DB8::1]:80", "[2001:db8::1]", "", ":", "["];
        let hosts = ["news.example", "news.example", "[2001:db8::1]", "[2001:db8::1]", "", "", "["];
        assert_eq!(fields.map(host_of), hosts);
    }
}
