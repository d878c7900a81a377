//! The user's own fields: one flat object of texts, in the order of the configuration.

use super::{Told, eve, plain};

/// Bytes of one field.
const FIELD: usize = 12_000;

/// Bytes of the record where a field asks for it.
const RECORD: usize = 8000;

/// The body. What comes from packets is put in as a text and never read for placeholders again.
pub(super) fn body(fields: &[(String, String)], told: &Told<'_>) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, text)| {
            let text = plain::cut(&filled(text, told), FIELD);
            format!("{}:{}", plain::json(&name.as_str().into()), plain::json(&text.into()))
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn filled(text: &str, told: &Told<'_>) -> String {
    let mut parts = text.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}').and_then(|(name, rest)| Some((value(name, told)?, rest))) {
            Some((value, rest)) => {
                out.push_str(&value);
                out.push_str(rest);
            }
            None => {
                out.push('{');
                out.push_str(part);
            }
        }
    }
    out
}

/// What stands for a placeholder; those known are `config::FIELDS`, and a file with others is refused.
fn value(name: &str, told: &Told<'_>) -> Option<String> {
    let record = told.record;
    Some(match name {
        "id" => record.id.clone(),
        "kind" => record.kind.name().to_owned(),
        "time" => plain::time(record.at),
        "severity" => record.severity.to_string(),
        "mechanism" => record.mechanism.clone(),
        "verdict" => record.verdict.clone(),
        "client" => plain::one_line(&record.client),
        "server" => plain::one_line(&record.server),
        "headline" => told.headline(),
        "explanation" => told.explanation(),
        "count" => told.count.to_string(),
        "sensor" => told.sensor(),
        "eve" => eve::fitted(&told.eve, RECORD),
        _ => return None,
    })
}
