//! A file of settings while it is read: tables whose keys are taken one by one, so that every mistake is found and not only the first.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::measure;
use crate::rules::Diagnostic;
use crate::rules::diagnosis::{Page, suggestion};

/// What is wrong with a value, and what would be right.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) what: String,
    pub(super) fix: String,
}

/// A value, or what is wrong with it.
pub(super) type Checked<T> = Result<T, Flaw>;

/// A flaw in words.
pub(super) fn flaw<T>(what: impl Into<String>, fix: impl Into<String>) -> Checked<T> {
    Err(Flaw { what: what.into(), fix: fix.into() })
}

/// The file, and what is wrong with it so far.
pub(super) struct Sheet<'a> {
    page: Page<'a>,
    pub(super) wrong: Vec<Diagnostic>,
}

impl<'a> Sheet<'a> {
    pub(super) const fn new(page: Page<'a>) -> Self {
        Self { page, wrong: Vec::new() }
    }

    /// Notes what is wrong at a place.
    pub(super) fn complain(&mut self, span: &Range<usize>, flaw: Flaw) {
        self.wrong.push(self.page.at(span, flaw.what, flaw.fix));
    }
}

/// A table of the file, whose keys are taken one by one.
pub(super) struct Section<'t> {
    /// Where its heading stands.
    pub(super) span: Range<usize>,
    rows: DeTable<'t>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    pub(super) const fn new(span: Range<usize>, rows: DeTable<'t>) -> Self {
        Self { span, rows, known: Vec::new() }
    }

    /// The value of a key as it stands there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.rows.remove(key)
    }

    /// The value of a key, read; none when it is left out or wrong.
    pub(super) fn read<T>(&mut self, sheet: &mut Sheet<'_>, key: &'static str, of: impl FnOnce(&DeValue<'_>) -> Checked<T>) -> Option<T> {
        let value = self.take(key)?;
        match of(value.get_ref()) {
            Ok(read) => Some(read),
            Err(flaw) => {
                sheet.complain(&value.span(), Flaw { what: format!("`{key}` {}", flaw.what), ..flaw });
                None
            }
        }
    }

    /// The values of a key that is a list, each with its place; what is wrong with one of them leaves the others.
    pub(super) fn list<T>(
        &mut self,
        sheet: &mut Sheet<'_>,
        key: &'static str,
        of: impl Fn(&DeValue<'_>) -> Checked<T>,
    ) -> Option<Vec<(T, Range<usize>)>> {
        let value = self.take(key)?;
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            sheet.complain(&span, Flaw { what: format!("`{key}` is a list"), fix: format!("write it in brackets: {key} = [...]") });
            return None;
        };
        let mut read = Vec::new();
        for item in items {
            match of(item.get_ref()) {
                Ok(value) => read.push((value, item.span())),
                Err(flaw) => sheet.complain(&item.span(), Flaw { what: format!("in `{key}`: it {}", flaw.what), ..flaw }),
            }
        }
        Some(read)
    }

    /// A table below this one; an empty one when it is left out or no table.
    pub(super) fn section(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Self {
        let Some(value) = self.take(key) else { return Self::new(self.span.clone(), DeTable::new()) };
        let span = value.span();
        if let DeValue::Table(rows) = value.into_inner() {
            return Self::new(span, rows);
        }
        sheet.complain(&span, Flaw { what: format!("`{key}` is a table"), fix: format!("write its heading, [{key}], above its keys") });
        Self::new(span, DeTable::new())
    }

    /// The tables of an array of tables; none when it is left out.
    pub(super) fn sections(&mut self, sheet: &mut Sheet<'_>, key: &'static str) -> Option<Vec<Self>> {
        let value = self.take(key)?;
        let span = value.span();
        let fix = format!("write the heading of each in double brackets, [[{key}]], above its keys");
        let DeValue::Array(items) = value.into_inner() else {
            sheet.complain(&span, Flaw { what: format!("there may be several tables `{key}`"), fix });
            return None;
        };
        let mut sections = Vec::new();
        for item in items {
            let span = item.span();
            match item.into_inner() {
                DeValue::Table(rows) => sections.push(Self::new(span, rows)),
                other => sheet.complain(&span, Flaw { what: format!("`{key}` is a table, not {}", kind(&other)), fix: fix.clone() }),
            }
        }
        Some(sections)
    }

    /// Complains of the keys that nobody asked for.
    pub(super) fn end(self, sheet: &mut Sheet<'_>, place: &str) {
        for (key, _) in &self.rows {
            let name = key.get_ref();
            let fix = suggestion(name, &self.known);
            sheet.complain(&key.span(), Flaw { what: format!("there is no key `{name}` {place}"), fix });
        }
    }
}

/// What a value is, as a sentence names it.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Text of at most 4,096 bytes without control characters.
pub(super) fn text(value: &DeValue<'_>) -> Checked<String> {
    match value {
        DeValue::String(text) if text.len() > 4_096 => flaw("is longer than 4,096 bytes", "write less"),
        DeValue::String(text) if text.chars().any(char::is_control) => flaw("holds control characters", "remove them"),
        DeValue::String(text) => Ok(text.clone().into_owned()),
        other => flaw(format!("is text, not {}", kind(other)), "write it in double quotes"),
    }
}

/// Text that says something.
pub(super) fn word(value: &DeValue<'_>) -> Checked<String> {
    text(value).and_then(|text| if text.trim().is_empty() { flaw("is empty", "fill it in, or leave the key out") } else { Ok(text) })
}

/// One of several words.
pub(super) fn one_of<T: Copy>(known: &[(&str, T)]) -> impl Fn(&DeValue<'_>) -> Checked<T> {
    move |value| {
        let name = text(value)?;
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let found = known.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        found.map_or_else(|| flaw(format!("cannot be \"{name}\""), suggestion(&name, &names)), Ok)
    }
}

pub(super) fn boolean(value: &DeValue<'_>) -> Checked<bool> {
    match value {
        DeValue::Boolean(value) => Ok(*value),
        other => flaw(format!("is true or false, not {}", kind(other)), "write true or false, without quotes"),
    }
}

/// A whole number within bounds.
pub(super) fn number(bounds: RangeInclusive<u32>) -> impl Fn(&DeValue<'_>) -> Checked<u32> {
    move |value| {
        let (least, most) = (*bounds.start(), *bounds.end());
        let fix = format!("give a whole number from {least} to {most}");
        let DeValue::Integer(written) = value else { return flaw(format!("is a number, not {}", kind(value)), fix) };
        match u32::from_str_radix(written.as_str(), written.radix()) {
            Ok(number) if bounds.contains(&number) => Ok(number),
            _ => flaw(format!("cannot be {written}"), fix),
        }
    }
}

/// Bytes within bounds.
pub(super) fn size(bounds: RangeInclusive<u64>) -> impl Fn(&DeValue<'_>) -> Checked<u64> {
    move |value| {
        let range = || format!("{} to {}", measure::size_in_words(*bounds.start()), measure::size_in_words(*bounds.end()));
        let DeValue::String(written) = value else {
            return flaw(format!("is a size with its unit, not {}", kind(value)), format!("write it as \"16 MiB\", from {}", range()));
        };
        match measure::size(written) {
            Some(bytes) if bounds.contains(&bytes) => Ok(bytes),
            Some(_) => flaw(format!("cannot be {}", quoted(written)), format!("give {}", range())),
            None => {
                flaw(format!("is a size, and {} is none", quoted(written)), "write a whole number and B, KiB, MiB or GiB, as \"16 MiB\"")
            }
        }
    }
}

/// A duration within bounds.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&DeValue<'_>) -> Checked<Duration> {
    move |value| {
        let range = || format!("{} to {}", measure::duration_in_words(*bounds.start()), measure::duration_in_words(*bounds.end()));
        let DeValue::String(written) = value else {
            return flaw(format!("is a duration with its unit, not {}", kind(value)), format!("write it as \"90 s\", from {}", range()));
        };
        match measure::duration(written) {
            Some(duration) if bounds.contains(&duration) => Ok(duration),
            Some(_) => flaw(format!("cannot be {}", quoted(written)), format!("give {}", range())),
            None => flaw(
                format!("is a duration, and {} is none", quoted(written)),
                "write whole numbers with s, min, h or days, as \"90 s\" or \"1 h 30 min\"",
            ),
        }
    }
}

/// A path that means the same wherever the program was started.
pub(super) fn path(value: &DeValue<'_>) -> Checked<PathBuf> {
    let written = word(value)?;
    let path = PathBuf::from(&written);
    if path.is_absolute() { Ok(path) } else { flaw(format!("is {}, which is no full path", quoted(&written)), "begin it with /") }
}

/// A few words of what was written, for a complaint.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    format!("\"{shown}\"")
}
