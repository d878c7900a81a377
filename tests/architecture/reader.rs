//! Reads Rust source as far as the borders need it: the paths that code names, without comments, literals and unit tests.

use std::collections::BTreeSet;

pub(super) struct Source {
    /// From the root of the package, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments, literals and unit tests.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: String, text: String) -> Self {
        let (before, tests) = text.split_once("\n#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
        let after = tests.split_once("\n}\n").map_or("", |(_, after)| after);
        let code = strip(&format!("{before}\n{after}"));
        Self { path, text, code }
    }

    pub(super) fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Unit tests in a file of their own.
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Every path that the code names, those of `use` trees spelt out, relative ones from the root of the crate.
    pub(super) fn paths(&self) -> BTreeSet<String> {
        let tokens = tokens(&self.code);
        let mut found = Vec::new();
        let mut rest = tokens.as_slice();
        while let Some((token, after)) = rest.split_first() {
            if *token == "use" && after.first() != Some(&"<") {
                rest = spell_out(after, "", &mut found);
                continue;
            }
            rest = after;
            if is_word(token) && rest.first() == Some(&"::") {
                let mut path = (*token).to_string();
                while let ["::", word, after @ ..] = rest {
                    if !is_word(word) {
                        break;
                    }
                    path = format!("{path}::{word}");
                    rest = after;
                }
                found.push(path);
            }
        }
        found.into_iter().map(|path| self.absolute(&path)).collect()
    }

    fn absolute(&self, path: &str) -> String {
        let module = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let mut at: Vec<&str> = std::iter::once("crate").chain(module.split('/')).collect();
        let mut words = path.split("::").peekable();
        if !matches!(words.peek(), Some(&"self" | &"super")) {
            return path.to_string();
        }
        for word in words {
            match word {
                "self" => {}
                "super" => drop(at.pop()),
                word => at.push(word),
            }
        }
        at.join("::")
    }
}

/// Spells out one `use` tree below `prefix`, and gives the tokens after it.
fn spell_out<'a>(mut rest: &'a [&'a str], prefix: &str, found: &mut Vec<String>) -> &'a [&'a str] {
    let mut path = prefix.to_string();
    while let Some((token, after)) = rest.split_first() {
        match *token {
            "::" => rest = after,
            "self" if !path.is_empty() => rest = after,
            "as" => rest = after.get(1..).unwrap_or_default(),
            "{" => {
                rest = after;
                while rest.first().is_some_and(|token| *token != "}") {
                    rest = spell_out(rest, &path, found);
                    rest = if rest.first() == Some(&",") { &rest[1..] } else { rest };
                }
                return rest.get(1..).unwrap_or_default();
            }
            "," | "}" | ";" => break,
            word => {
                path = if path.is_empty() { word.to_string() } else { format!("{path}::{word}") };
                rest = after;
            }
        }
    }
    found.push(path);
    rest
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let len = if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(len);
        if !token.trim().is_empty() {
            tokens.push(token);
        }
        rest = after;
    }
    tokens
}

/// `text` with a blank for each comment and literal.
pub(super) fn strip(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let dead = comment(rest).max(literal(rest));
        code.push(if dead == 0 { first } else { ' ' });
        rest = &rest[dead.max(first.len_utf8())..];
    }
    code
}

/// Length of the comment at the start of `rest`; 0 when there is none.
fn comment(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match rest.get(at..at + 2) {
            Some("/*") => (depth, at) = (depth + 1, at + 2),
            Some("*/") if depth > 0 => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 || at >= rest.len() {
            return if at < 2 { 0 } else { at.min(rest.len()) };
        }
    }
}

/// Length of the string or character literal at the start of `rest`; 0 when there is none.
fn literal(rest: &str) -> usize {
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let close = format!("\"{}", "#".repeat(hashes));
        let body = raw.get(hashes..).unwrap_or_default();
        return body.strip_prefix('"').map_or(0, |inside| inside.find(&close).map_or(rest.len(), |end| 2 + 2 * hashes + end + 1));
    }
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return 0 };
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ if quote == '\'' && at > 1 && !rest[1..].starts_with('\\') => return 0, // a lifetime
            _ => {}
        }
    }
    0
}

mod tests {
    use super::*;

    fn read_as(path: &str, text: &str) -> BTreeSet<String> {
        Source::new(path.to_string(), text.to_string()).paths()
    }

    #[test]
    fn sees_through_braces_aliases_and_relative_paths() {
        let paths = read_as(
            "src/engine/flow/table.rs",
            "use std::{collections::{BTreeMap, HashMap as Map,}, net::{self, IpAddr}};\nuse super::super::detect::*;\nfn f() { self::g(); std::thread::sleep(d) }",
        );
        let expected = [
            "crate::engine::detect::*",
            "crate::engine::flow::table::g",
            "std::collections::BTreeMap",
            "std::collections::HashMap",
            "std::net",
            "std::net::IpAddr",
            "std::thread::sleep",
        ];
        assert_eq!(paths.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn ignores_comments_literals_and_unit_tests() {
        let text = "// std::fs\n/* std::fs /* std::fs */ std::fs */\nconst A: &str = \"std::fs\\\" std::fs\"; const B: &str = r#\"std::fs\"#; const C: char = '\"';\nfn f<'a>(x: &'a u8) { ok::yes() }\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\nuse jiff as j;\n";
        assert_eq!(read_as("src/engine/time.rs", text).into_iter().collect::<Vec<_>>(), ["jiff", "ok::yes"]);
    }
}
