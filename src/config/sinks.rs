//! Sinks as written: the keys that all have, and those of each kind.

use std::net::IpAddr;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::file::{Named, NamedAs};
use super::sheet::{Checked, Flaw, Section, Sheet, boolean, duration, flaw, kind, number, one_of, path, quoted, size, text, word};
use super::{
    FIELDS, FileTarget, Filter, PER_MINUTE_OF_CHATS, Secret, SinkSettings, SyslogTarget, Target, Template, Transport, WebhookTarget,
};
use crate::rules::MECHANISMS;
use crate::rules::diagnosis::suggestion;
use crate::rules::network::Network;

use std::path::PathBuf;
use std::time::Duration;

/// Sinks of one file.
const MOST_SINKS: usize = 64;
/// Fields of a generic body.
const MOST_FIELDS: usize = 64;
const TEMPLATES: [(&str, Template); 8] = [
    ("standard", Template::Standard),
    ("generic", Template::Generic),
    ("slack", Template::Slack),
    ("mattermost", Template::Slack),
    ("teams", Template::Teams),
    ("ntfy", Template::Ntfy),
    ("thehive", Template::TheHive),
    ("pagerduty", Template::PagerDuty),
];
/// Facilities of syslog by their names (RFC 5424, section 6.2.1; names as in syslog.conf).
const FACILITIES: [(&str, u8); 14] = [
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("authpriv", 10),
    ("audit", 13),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// The sinks of a file, in order.
pub(super) fn read(sheet: &mut Sheet<'_>, sections: Vec<Section<'_>>, named: &mut Vec<Named>) -> Vec<SinkSettings> {
    let mut sinks: Vec<SinkSettings> = Vec::new();
    if let Some(section) = sections.get(MOST_SINKS) {
        let what = format!("there are more than {MOST_SINKS} sinks");
        sheet.complain(&section.span, Flaw { what, fix: "remove some: each is told of every alert on its own".to_owned() });
    }
    for section in sections.into_iter().take(MOST_SINKS) {
        let draft = Draft { sheet, section, named, place: sinks.len() };
        let Some((sink, name)) = draft.sink() else { continue };
        if sinks.iter().any(|other| other.name == sink.name) {
            let what = format!("a sink named \"{}\" is there already", sink.name);
            sheet.complain(&name, Flaw { what, fix: "give each its own name: what it still has to deliver is kept by it".to_owned() });
        }
        sinks.push(sink);
    }
    sinks
}

/// One sink while it is read.
struct Draft<'s, 'p, 't> {
    sheet: &'s mut Sheet<'p>,
    section: Section<'t>,
    named: &'s mut Vec<Named>,
    /// Its place in the list.
    place: usize,
}

impl Draft<'_, '_, '_> {
    /// The sink and the place of its name; none when it has no name or kind that can be told.
    fn sink(mut self) -> Option<(SinkSettings, Range<usize>)> {
        let span = self.section.span.clone();
        let name = self.named_as(&span);
        let Some(sort) = self.section.take("kind") else {
            let fix = "add kind = \"file\", \"webhook\", \"journald\" or \"syslog\"";
            self.sheet.complain(&span, Flaw { what: "the key `kind` is missing".to_owned(), fix: fix.to_owned() });
            return None;
        };
        let known = ["file", "webhook", "journald", "syslog"].map(|name| (name, name));
        let target = match one_of(&known)(sort.get_ref()) {
            Ok("file") => self.file().map(Target::File),
            Ok("webhook") => self.webhook().map(|target| Target::Webhook(Box::new(target))),
            Ok("syslog") => self.syslog().map(Target::Syslog),
            Ok(_) => Some(Target::Journald),
            Err(flaw) => {
                self.sheet.complain(&sort.span(), Flaw { what: format!("`kind` {}", flaw.what), ..flaw });
                return None;
            }
        };
        let chats =
            matches!(&target, Some(Target::Webhook(hook)) if matches!(hook.template, Template::Slack | Template::Teams | Template::Ntfy));
        let usual = chats.then_some(PER_MINUTE_OF_CHATS);
        let per_minute = self.section.read(self.sheet, "per_minute", number(0..=100_000));
        let per_minute = per_minute.map_or(usual, |rate| Some(rate).filter(|rate| *rate > 0));
        let filter = self.filter();
        let heartbeat = self.section.read(self.sheet, "heartbeat", boolean).unwrap_or(false);
        self.section.end(self.sheet, "in this [[sink]]");
        let (name, place) = name?;
        Some((SinkSettings { name, filter, per_minute, heartbeat, target: target? }, place))
    }

    fn named_as(&mut self, span: &Range<usize>) -> Option<(String, Range<usize>)> {
        let Some(value) = self.section.take("name") else {
            let fix = "add name = \"...\", by which `sidewatch sinks status` and its waiting alerts are known";
            self.sheet.complain(span, Flaw { what: "the key `name` is missing".to_owned(), fix: fix.to_owned() });
            return None;
        };
        let is_name =
            |name: &str| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        match word(value.get_ref()) {
            Ok(name) if is_name(&name) => Some((name, value.span())),
            Ok(_) => {
                let what = "`name` is at most 64 letters, digits, `-`, `_` and `.`".to_owned();
                self.sheet.complain(&value.span(), Flaw { what, fix: "write it as soc-webhook".to_owned() });
                None
            }
            Err(flaw) => {
                self.sheet.complain(&value.span(), Flaw { what: format!("`name` {}", flaw.what), ..flaw });
                None
            }
        }
    }

    fn filter(&mut self) -> Filter {
        let usual = Filter::default();
        let severity = self.section.read(self.sheet, "severity", number(1..=3)).and_then(|severity| u8::try_from(severity).ok());
        let mechanisms = self.section.list(self.sheet, "mechanisms", one_of(&MECHANISMS.map(|name| (name, name))));
        let networks = self.section.list(self.sheet, "networks", network);
        Filter {
            severity: severity.unwrap_or(usual.severity),
            mechanisms: mechanisms.unwrap_or_default().into_iter().map(|(name, _)| name.to_owned()).collect(),
            networks: networks.unwrap_or_default().into_iter().map(|(network, _)| network).collect(),
        }
    }

    /// A value that the sink cannot do without.
    fn needed<T>(&mut self, key: &'static str, example: &str, of: impl FnOnce(&DeValue<'_>) -> Checked<T>) -> Option<T> {
        let before = self.sheet.wrong.len();
        let value = self.section.read(self.sheet, key, of);
        if value.is_none() && before == self.sheet.wrong.len() {
            let what = format!("the key `{key}` is missing");
            self.sheet.complain(&self.section.span, Flaw { what, fix: format!("add {key} = {example}") });
        }
        value
    }

    fn file(&mut self) -> Option<FileTarget> {
        let rotate_at = self.section.read(self.sheet, "rotate_at", |value| match value {
            DeValue::String(word) if word == "off" => Ok(None),
            value => size(1 << 20..=1 << 40)(value).map(Some),
        });
        let keep = self.section.read(self.sheet, "keep", number(1..=1_000)).unwrap_or(FileTarget::KEPT);
        let path = self.needed("path", "\"/var/log/sidewatch/eve.json\"", path)?;
        Some(FileTarget { path, rotate_at: rotate_at.flatten(), keep })
    }

    fn syslog(&mut self) -> Option<SyslogTarget> {
        let known = [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];
        let transport = self.section.read(self.sheet, "transport", one_of(&known)).unwrap_or(Transport::Udp);
        let cef = self.section.read(self.sheet, "format", one_of(&[("eve", false), ("cef", true)])).unwrap_or(false);
        let facility = self.section.read(self.sheet, "facility", facility).unwrap_or(SyslogTarget::FACILITY);
        let ca = self.certificate("ca");
        if let (Some((_, span)), false) = (&ca, transport == Transport::Tls) {
            let what = "`ca` is for TLS, and this sink does not use it".to_owned();
            self.sheet.complain(span, Flaw { what, fix: "add transport = \"tls\", or remove the key".to_owned() });
        }
        let address = self.needed("address", "\"logs.example:514\"", address)?;
        Some(SyslogTarget { address, transport, ca: ca.map(|(path, _)| path), cef, facility })
    }

    fn webhook(&mut self) -> Option<WebhookTarget> {
        let template = self.section.read(self.sheet, "template", one_of(&TEMPLATES)).unwrap_or(Template::Standard);
        let secrets = self.secrets();
        let token = self.section.take("token").and_then(|value| self.secret(value, "token"));
        let ca = self.certificate("ca").map(|(path, _)| path);
        let client = self.client();
        let proxy = self.section.read(self.sheet, "proxy", |value| text(value).and_then(|url| web_address(&url)));
        let timeout = self.section.read(self.sheet, "timeout", duration(Duration::from_secs(1)..=Duration::from_secs(120)));
        let fields = self.fields(template);
        if template == Template::PagerDuty && token.is_none() {
            let fix = "add token = { file = \"...\" }, a file that holds the routing key";
            self.sheet.complain(&self.section.span, Flaw { what: "PagerDuty needs the key `token`".to_owned(), fix: fix.to_owned() });
        }
        let url = self.url()?;
        let timeout = timeout.unwrap_or(WebhookTarget::TIMEOUT);
        Some(WebhookTarget { url, template, secrets, token, ca, client, proxy, timeout, fields })
    }

    /// The address, or where it is kept: that of a chat's webhook is a secret.
    fn url(&mut self) -> Option<String> {
        let Some(value) = self.section.take("url") else {
            let fix = "add url = \"https://...\", or url = { file = \"...\" } when the address is a secret";
            self.sheet.complain(&self.section.span, Flaw { what: "the key `url` is missing".to_owned(), fix: fix.to_owned() });
            return None;
        };
        let span = value.span();
        if !matches!(value.get_ref(), DeValue::String(_)) {
            return match secret(value.get_ref()) {
                Ok(secret) => {
                    self.named.push(Named { what: NamedAs::Url(secret, self.place), span });
                    Some(String::new()) // filled in when the file is read
                }
                Err(flaw) => self.refuse(&span, "url", flaw),
            };
        }
        match text(value.get_ref()).and_then(|url| web_address(&url)) {
            Ok(url) => Some(url),
            Err(flaw) => self.refuse(&span, "url", flaw),
        }
    }

    fn refuse<T>(&mut self, span: &Range<usize>, key: &str, flaw: Flaw) -> Option<T> {
        self.sheet.complain(span, Flaw { what: format!("`{key}` {}", flaw.what), ..flaw });
        None
    }

    fn secrets(&mut self) -> Vec<Secret> {
        let listed = self.section.list(self.sheet, "secrets", secret).unwrap_or_default();
        self.named.extend(listed.iter().map(|(secret, span)| Named { what: NamedAs::Secret(secret.clone()), span: span.clone() }));
        listed.into_iter().map(|(secret, _)| secret).collect()
    }

    fn secret(&mut self, value: Spanned<DeValue<'_>>, key: &str) -> Option<Secret> {
        let span = value.span();
        match secret(value.get_ref()) {
            Ok(secret) => {
                self.named.push(Named { what: NamedAs::Secret(secret.clone()), span });
                Some(secret)
            }
            Err(flaw) => self.refuse(&span, key, flaw),
        }
    }

    /// A file of certificates, which must be there.
    fn certificate(&mut self, key: &'static str) -> Option<(PathBuf, Range<usize>)> {
        let value = self.section.take(key)?;
        let span = value.span();
        match path(value.get_ref()) {
            Ok(path) => {
                self.named.push(Named { what: NamedAs::File(key, path.clone()), span: span.clone() });
                Some((path, span))
            }
            Err(flaw) => self.refuse(&span, key, flaw),
        }
    }

    fn client(&mut self) -> Option<(PathBuf, Secret)> {
        let value = self.section.take("client")?;
        let span = value.span();
        let DeValue::Table(rows) = value.into_inner() else {
            let fix = "write client = { certificate = \"/...pem\", key = { file = \"/...pem\" } }";
            return self.refuse(&span, "client", Flaw { what: "is a certificate and its key".to_owned(), fix: fix.to_owned() });
        };
        let inner = Section::new(span, rows);
        let outer = std::mem::replace(&mut self.section, inner);
        let certificate = self.certificate("certificate").map(|(path, _)| path);
        let key = self.section.take("key").and_then(|value| self.secret(value, "key"));
        let inner = std::mem::replace(&mut self.section, outer);
        if certificate.is_none() || key.is_none() {
            let what = "`client` needs both `certificate` and `key`".to_owned();
            let fix = "write client = { certificate = \"/...pem\", key = { file = \"/...pem\" } }".to_owned();
            self.sheet.complain(&inner.span, Flaw { what, fix });
        }
        inner.end(self.sheet, "in `client`");
        certificate.zip(key)
    }

    fn fields(&mut self, template: Template) -> Vec<(String, String)> {
        let fix = "write fields = { title = \"{headline}\", from = \"{client}\" }";
        let Some(value) = self.section.take("fields") else {
            if template == Template::Generic {
                let what = "a generic body needs `fields`".to_owned();
                self.sheet.complain(&self.section.span, Flaw { what, fix: fix.to_owned() });
            }
            return Vec::new();
        };
        let span = value.span();
        let mut fields = Vec::new();
        match value.into_inner() {
            _ if template != Template::Generic => {
                let what = "`fields` are those of a generic body".to_owned();
                self.sheet.complain(&span, Flaw { what, fix: "add template = \"generic\", or remove them".to_owned() });
            }
            DeValue::Table(rows) if (1..=MOST_FIELDS).contains(&rows.len()) => {
                for (key, value) in rows {
                    match text(value.get_ref()).and_then(placeholders) {
                        Ok(text) => fields.push((key.into_inner().into_owned(), text)),
                        Err(flaw) => self.sheet.complain(&value.span(), Flaw { what: format!("a field {}", flaw.what), ..flaw }),
                    }
                }
            }
            _ => {
                let what = format!("`fields` is a table of 1 to {MOST_FIELDS} names with their texts");
                self.sheet.complain(&span, Flaw { what, fix: fix.to_owned() });
            }
        }
        fields
    }
}

/// A secret's place. A secret itself is refused, and never repeated.
fn secret(value: &DeValue<'_>) -> Checked<Secret> {
    let form = "{ file = \"/etc/sidewatch/NAME.secret\" } or { credential = \"NAME\" }";
    let DeValue::Table(rows) = value else {
        return match value {
            DeValue::String(_) => flaw(
                "is a secret, and a secret may not stand in this file: it is copied, backed up and shown to others",
                format!("put it into a file that only its owner can read (install -m 600 -o sidewatch), and write {form}"),
            ),
            other => flaw(format!("says where a secret is kept, and is not {}", kind(other)), format!("write {form}")),
        };
    };
    let mut rows = rows.iter();
    let (Some((key, value)), None) = (rows.next(), rows.next()) else {
        return flaw("says where a secret is kept: in one place", format!("write {form}"));
    };
    match key.get_ref().as_ref() {
        "file" => path(value.get_ref()).map(Secret::File),
        "credential" => {
            let name = word(value.get_ref())?;
            let is_name = name.len() <= 255 && !name.starts_with('.') && !name.contains('/');
            if is_name { Ok(Secret::Credential(name)) } else { flaw("names a credential, not a path", "write the ID of LoadCredential=") }
        }
        other => flaw(format!("has no key `{other}`"), suggestion(other, &["file", "credential"])),
    }
}

/// A web address without a password in it.
pub(super) fn web_address(written: &str) -> Checked<String> {
    let fix = "write it as https://soc.example/hooks/sidewatch";
    match Url::parse(written) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => flaw(format!("cannot be of the kind {}:", url.scheme()), fix),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            flaw("holds a name or a password, which may not stand in this file", "remove them, and use `token` or a URL from a file")
        }
        Ok(_) => Ok(written.to_owned()),
        Err(error) => flaw(format!("is no web address ({error})"), fix),
    }
}

/// `host:port`.
fn address(value: &DeValue<'_>) -> Checked<String> {
    let written = word(value)?;
    let fix = "write host:port, as logs.example:514, 192.0.2.1:514 or [2001:db8::1]:6514";
    let Some((host, port)) = written.rsplit_once(':') else {
        return flaw(format!("has no port: {}", quoted(&written)), fix);
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(inside) => inside.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.len() <= 253
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    };
    match port.parse::<u16>() {
        Ok(1..) if is_host => Ok(written),
        _ => flaw(format!("is a host and a port, and {} is none", quoted(&written)), fix),
    }
}

fn facility(value: &DeValue<'_>) -> Checked<u8> {
    match value {
        DeValue::Integer(_) => number(0..=23)(value).map(|number| u8::try_from(number).unwrap_or(SyslogTarget::FACILITY)),
        value => one_of(&FACILITIES)(value),
    }
}

/// A network, as alerts' addresses are compared with it.
fn network(value: &DeValue<'_>) -> Checked<String> {
    let written = word(value)?;
    let fix = "write 10.0.0.0/8, 2001:db8::/32 or an address";
    if Network::parse(&written).is_some() {
        return Ok(written);
    }
    match written.split_once('/').and_then(|(address, _)| address.parse().ok()) {
        Some(IpAddr::V4(_)) => flaw(format!("has a length that is not 0 to 32: {}", quoted(&written)), fix),
        Some(IpAddr::V6(_)) => flaw(format!("has a length that is not 0 to 128: {}", quoted(&written)), fix),
        None => flaw(format!("is a network, and {} is none", quoted(&written)), fix),
    }
}

/// A field's text, whose `{placeholders}` must be known. Other braces are text.
fn placeholders(text: String) -> Checked<String> {
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else { continue };
        let is_placeholder = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_placeholder && !FIELDS.contains(&name) {
            return flaw(format!("has the unknown placeholder {{{name}}}"), suggestion(name, &FIELDS));
        }
    }
    Ok(text)
}
