//! Facts about web answers that need one place where all are seen: who wants https, who answers by http, and what a page was.

use super::flow::Flow;
use super::flow::event::FlowEvent;
use super::flow::memory::Pool;
use super::flow::record::Record;
use super::observation::{FlowFacts, Observation, What};
use super::protocol::http::{Event, RedirectKind, Response};
use super::time::Timestamp;
use super::watch;

/// A fact.
#[derive(Clone, Debug)]
pub struct Web {
    /// The packet in which the answer begins.
    pub record: Record,
    /// The host that was asked, in lower case, without port and last dot.
    pub host: String,
    /// What it was asked for, as sent.
    pub target: String,
    /// The User-Agent of the request.
    pub user_agent: Option<String>,
    /// What the answer says.
    pub fact: Fact,
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
    /// The content that a validator names. Both as numbers.
    Content {
        /// The validator.
        validator: u64,
        /// The bytes.
        bytes: u64,
    },
}

/// The fact that an event of a flow is.
pub(super) fn observe(flow: &mut Flow, event: &FlowEvent, pool: &Pool, now: Timestamp) -> Option<Observation> {
    let FlowEvent::Http(event) = event else { return None };
    let (response, fact) = match event {
        Event::Head(response) => (response.as_ref(), of_head(flow, response)?),
        Event::Whole(bytes) => {
            let response = flow.last_answer.as_deref()?;
            (response, Fact::Content { validator: response.validator?, bytes: *bytes })
        }
        Event::Body(_) => return None,
    };
    let request = response.request.as_ref()?;
    let host = host_of(request.host.as_deref()?);
    let record = watch::find(flow, pool, response.first.frame)?;
    let (target, user_agent, facts) = (request.target.clone(), request.user_agent.clone(), FlowFacts::of(flow));
    flow.page_told |= fact == Fact::PlainPage;
    Some(Observation { at: now, what: What::Web(Box::new(Web { record, host, target, user_agent, fact, flow: facts })) })
}

fn of_head(flow: &Flow, response: &Response) -> Option<Fact> {
    let request = response.request.as_ref()?;
    // Over http the field is not believed by browsers (RFC 6797, section 8.1), but it tells what the host wants.
    if response.demands_tls || leads_to_tls(flow, response) {
        return Some(Fact::WantsTls);
    }
    (response.status == 200 && response.is_page() && request.method == "GET" && !flow.page_told).then_some(Fact::PlainPage)
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
