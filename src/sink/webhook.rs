//! The webhook sink: one request for each attempt, its answer read within bounds.

mod answer;
mod signature;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Proxy, RequestBuilder, Url, redirect, retry};

use super::error::SinkError;
use super::form::{self, Told};
use super::secret::{self, Hidden};
use super::tls;
use crate::config::{Template, WebhookTarget};

/// How long a connection may take to come about, where the whole attempt has longer.
const CONNECT: Duration = Duration::from_secs(10);

/// Header lines of an answer at most.
const HEADERS: usize = 64;

/// A receiver, ready to be told.
#[derive(Debug)]
pub(super) struct Webhook {
    target: WebhookTarget,
    client: Client,
    url: Url,
    /// Host and port, which is all of the URL that errors tell: the rest may be a secret.
    to: String,
    keys: Vec<Hidden>,
    token: Option<Hidden>,
}

impl Webhook {
    /// Reads secrets and certificates, and makes ready. Blocks on files.
    ///
    /// # Errors
    /// When one of them, the URL or the proxy cannot be used.
    pub(super) fn new(target: WebhookTarget) -> Result<Self, SinkError> {
        let refused = |what, why: &str| SinkError::Setting { what, why: why.to_owned() };
        let url = Url::parse(&target.url).map_err(|error| refused("url", &error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refused("url", "only http and https lead to a webhook"));
        }
        let to = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let url = if target.template == Template::Ntfy { form::ntfy::root(&url) } else { url };
        let keys = target.secrets.iter().map(secret::signing_key).collect::<Result<_, _>>()?;
        let token = target.token.as_ref().map(secret::token).transpose()?;
        let client = client(&target, &url)?;
        Ok(Self { target, client, url, to, keys, token })
    }

    /// One attempt.
    ///
    /// # Errors
    /// When the receiver did not answer 2xx.
    pub(super) async fn tell(&self, told: &Told<'_>) -> Result<(), SinkError> {
        let body = form::body(&self.target, told, self.token.as_ref().map(Hidden::bytes));
        let response = self.request(&told.key, body).send().await.map_err(|error| self.failure(&error))?;
        answer::judge(response, &self.to, self.target.template).await
    }

    fn request(&self, id: &str, body: String) -> RequestBuilder {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let id: String = id.chars().filter(char::is_ascii_graphic).collect();
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request = request.header("webhook-id", &id).header("webhook-timestamp", now);
        if !self.keys.is_empty() {
            request = request.header("webhook-signature", signature::of(&self.keys, &id, now, &body));
        }
        if let Some(token) = self.token.as_ref().filter(|_| self.target.template != Template::PagerDuty) {
            let line = [b"Bearer ", token.bytes()].concat();
            if let Ok(mut value) = HeaderValue::from_bytes(&line) {
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
        }
        request.body(body)
    }

    fn failure(&self, error: &reqwest::Error) -> SinkError {
        if error.is_timeout() {
            return SinkError::Slow { to: self.to.clone(), within: self.target.timeout };
        }
        SinkError::Unreachable { to: self.to.clone(), why: answer::innermost(error) }
    }
}

fn client(target: &WebhookTarget, url: &Url) -> Result<Client, SinkError> {
    let encrypted = url.scheme() == "https" || target.proxy.as_ref().is_some_and(|proxy| proxy.starts_with("https:"));
    let mut tls = if encrypted { tls::client(target.ca.as_deref(), target.client.as_ref())? } else { tls::unused()? };
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .timeout(target.timeout)
        .connect_timeout(target.timeout.min(CONNECT))
        .http1_only()
        .http1_max_headers(HEADERS)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("sidewatch/", env!("CARGO_PKG_VERSION")));
    if let Some(proxy) = &target.proxy {
        let refused = || SinkError::Setting { what: "proxy", why: "it is no URL of a proxy (`http://proxy.example:3128`)".to_owned() };
        builder = builder.proxy(Proxy::all(proxy).map_err(|_| refused())?);
    }
    builder.build().map_err(|error| SinkError::Setting { what: "webhook", why: answer::innermost(&error) })
}
