//! What is wrong with a file of rules or of settings, where, and what would be right.

use std::ops::Range;

/// Edits between two words that may be a slip of the hand.
const SLIP: usize = 3;

/// Something wrong in a file of rules or of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub fix: String,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what)?,
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.what)?,
        }
        if self.fix.is_empty() { Ok(()) } else { write!(f, "\n  fix: {}", self.fix) }
    }
}

/// A file that is read, for the places of what is wrong in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
}

impl Page<'_> {
    /// A diagnosis of what stands at a place.
    pub(crate) fn at(&self, span: &Range<usize>, what: impl Into<String>, fix: impl Into<String>) -> Diagnostic {
        let before = self.text.get(..self.text.floor_char_boundary(span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Diagnostic { file: self.file.to_owned(), line, column, what: what.into(), fix: fix.into() }
    }

    /// A diagnosis of what the parser found.
    pub(crate) fn of(&self, error: &toml::de::Error, within: &Range<usize>) -> Diagnostic {
        let message = error.message().lines().next().unwrap_or_default();
        let span = error.span().unwrap_or_else(|| within.clone());
        self.at(&span, plainly(message), fix_of(message))
    }
}

/// The parser's words, as whoever wrote the file would say it.
fn plainly(message: &str) -> String {
    if let Some(name) = quoted(message, "unknown field `") {
        return format!("there is no key `{name}` here");
    }
    if let Some(name) = quoted(message, "missing field `") {
        return format!("the key `{name}` is missing");
    }
    if let Some(name) = quoted(message, "unknown variant `") {
        return format!("`{name}` is no value for this key");
    }
    message.to_owned()
}

fn fix_of(message: &str) -> String {
    let word = quoted(message, "unknown field `").or_else(|| quoted(message, "unknown variant `"));
    let known: Vec<&str> = message.split_once("expected").map(|(_, list)| list.split('`').skip(1).step_by(2).collect()).unwrap_or_default();
    if let (Some(word), false) = (word, known.is_empty()) {
        return suggestion(word, &known);
    }
    match quoted(message, "missing field `") {
        Some(name) => format!("add {name} = ..."),
        None if message.contains("invalid type") => "write the value as the message says".to_owned(),
        None => "see the files in rules/ for the form".to_owned(),
    }
}

fn quoted<'m>(message: &'m str, before: &str) -> Option<&'m str> {
    message.split_once(before)?.1.split('`').next()
}

/// The word that was probably meant, or all that there are.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    let distance = |other: &&str| if !word.is_empty() && other.starts_with(word) { 1 } else { edits(word, other) };
    let near = known.iter().map(|other| (distance(other), *other)).min();
    match near {
        Some((edits, other)) if edits <= SLIP.min(word.len() / 2 + 1) => format!("did you mean `{other}`?"),
        _ => format!("there is {}", known.iter().map(|other| format!("`{other}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// Insertions, deletions and changes of one letter that make one word of the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, left) in a.iter().enumerate() {
        let mut before = line;
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
        for (place, right) in b.iter().enumerate() {
            let above = row.get(place + 1).copied().unwrap_or_default();
            let beside = row.get(place).copied().unwrap_or_default();
            let least = (above + 1).min(beside + 1).min(before + usize::from(left != right));
            if let Some(cell) = row.get_mut(place + 1) {
                *cell = least;
            }
            before = above;
        }
    }
    row.last().copied().unwrap_or_default()
}
