//! What a receiver's answer means.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use crate::config::Template;
use crate::sink::error::SinkError;
use crate::sink::form::plain;

/// Bytes of an answer that are read.
const READ: usize = 4096;

/// Bytes of it that an error quotes.
const QUOTED: usize = 200;

/// How long the rest of an answer is waited for once its status is known.
const REST: Duration = Duration::from_secs(1);

/// Only 2xx is success, by Standard Webhooks 1.0.
///
/// # Errors
/// For every other answer.
pub(super) async fn judge(mut response: Response, to: &str, template: Template) -> Result<(), SinkError> {
    let status = response.status();
    let retry_after = retry_after(response.headers(), Timestamp::now());
    let body = beginning(&mut response).await;
    if status.is_success() || is_known_already(template, status, &body) {
        return Ok(());
    }
    let to = to.to_owned();
    Err(match status.as_u16() {
        410 => SinkError::Gone { to },
        status @ 300..=399 => SinkError::Moved { to, status },
        status => SinkError::Answer { to, status, said: plain::cut(plain::one_line(&body).trim(), QUOTED), retry_after },
    })
}

/// The last cause of an error, without the URL that it was about.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    plain::cut(&plain::one_line(&cause.to_string()), QUOTED)
}

/// The beginning of the answer's body; reading it lets the connection be used again.
async fn beginning(response: &mut Response) -> String {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend(chunk.iter().take(READ - body.len()));
            if body.len() >= READ {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(REST, read).await; // what came by then will do
    String::from_utf8_lossy(&body).into_owned()
}

/// TheHive refuses a second alert of the same reference: the one before was taken, and its answer was lost.
fn is_known_already(template: Template, status: StatusCode, body: &str) -> bool {
    template == Template::TheHive && matches!(status.as_u16(), 400 | 409) && body.contains("already exist")
}

/// Seconds, or a date of HTTP.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers, "2026-11-24T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_receiver_asks_for_time_in_seconds_or_by_a_date() {
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked("Tue, 24 Nov 2026 12:01:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(asked("Tue, 24 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO), "a time that has passed");
        for nonsense in ["soon", "-5", "1e9", "99999999999999999999"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_second_delivery_to_thehive_counts_as_told() {
        let body = r#"{"type":"CreateError","message":"Alert sidewatch:gateway-1:1f already exist"}"#;
        assert!(is_known_already(Template::TheHive, StatusCode::BAD_REQUEST, body));
        assert!(!is_known_already(Template::TheHive, StatusCode::BAD_REQUEST, "no title"));
        assert!(!is_known_already(Template::Standard, StatusCode::BAD_REQUEST, body));
    }
}
