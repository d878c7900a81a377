//! STIX patterns (STIX 2.0, part 5; STIX 2.1, section 9): the comparisons in them that packets can show.

use super::entry::Wanted;
use super::gather::{Gathering, quoted};

/// Pieces of one pattern.
const MOST_TOKENS: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// Words, paths, operators in letters.
    Word(&'a str),
    /// A string, without its quotes and escapes.
    Text(String),
    /// A bracket, comma or comparison sign.
    Sign(&'a str),
}

/// Takes every comparison of a pattern: `domain-name:value`, `url:value`, `ipv4-addr:value` and `ipv6-addr:value` that must be equal to something,
/// whatever joins them. An AND narrows what its author meant; each part is still an indicator.
pub(super) fn pattern(pattern: &str, line: u64, gathering: &mut Gathering) {
    let Some(tokens) = tokens(pattern) else {
        gathering.complain(line, format!("{} is no STIX pattern: a quote is not closed, or it is endless", quoted(pattern)));
        return;
    };
    let mut rest = tokens.as_slice();
    let mut comparisons = 0;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        let Token::Word(path) = token else { continue };
        if !path.contains(':') {
            continue;
        }
        comparisons += 1;
        rest = compare(path, rest, line, gathering);
    }
    if comparisons == 0 {
        gathering.complain(line, format!("{} compares nothing: a pattern is [object:property = 'value']", quoted(pattern)));
    }
}

/// One comparison; gives what follows it.
fn compare<'t>(path: &str, rest: &'t [Token<'_>], line: u64, gathering: &mut Gathering) -> &'t [Token<'t>] {
    let Some(wanted) = wanted(path) else {
        gathering.skip(&kind_of(path));
        return rest;
    };
    match rest {
        [Token::Sign("=" | "=="), Token::Text(value), after @ ..] => {
            gathering.take(value, wanted, line);
            after
        }
        [Token::Word(operator), Token::Text(value), after @ ..]
            if operator.eq_ignore_ascii_case("ISSUBSET") && wanted == Wanted::Address =>
        {
            gathering.take(value, wanted, line);
            after
        }
        [Token::Word(operator), Token::Sign("("), after @ ..] if operator.eq_ignore_ascii_case("IN") => {
            let end = after.iter().position(|token| *token == Token::Sign(")")).unwrap_or(after.len());
            let (set, after) = after.split_at(end);
            for token in set {
                if let Token::Text(value) = token {
                    gathering.take(value, wanted, line);
                }
            }
            after
        }
        [Token::Word(operator), after @ ..] => {
            gathering.skip(&format!("{path} {}", operator.to_ascii_uppercase()));
            after
        }
        [Token::Sign(sign), after @ ..] => {
            gathering.skip(&format!("{path} {sign}"));
            after
        }
        _ => {
            gathering.complain(line, format!("{path} is compared with nothing"));
            rest
        }
    }
}

/// What the values of a path are, where packets show them.
fn wanted(path: &str) -> Option<Wanted> {
    Some(match path {
        "domain-name:value" => Wanted::Host,
        "url:value" => Wanted::Url,
        "ipv4-addr:value" | "ipv6-addr:value" | "network-traffic:dst_ref.value" | "network-traffic:src_ref.value" => Wanted::Address,
        _ => return None,
    })
}

/// A path as the counts name it, without what a hash or an index adds to it.
fn kind_of(path: &str) -> String {
    path.split(['.', '[']).next().unwrap_or(path).to_owned()
}

fn tokens(pattern: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = pattern.trim_start();
    while let Some(first) = rest.chars().next() {
        if tokens.len() >= MOST_TOKENS {
            return None;
        }
        let (token, after) = match first {
            '\'' => text(rest.get(1..)?)?,
            '[' | ']' | '(' | ')' | ',' => sign(rest, 1)?,
            '=' | '!' | '<' | '>' => sign(rest, if rest.get(1..2) == Some("=") { 2 } else { 1 })?,
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

fn sign(rest: &str, len: usize) -> Option<(Token<'_>, &str)> {
    let (sign, after) = rest.split_at_checked(len)?;
    Some((Token::Sign(sign), after))
}

/// A word up to white space or a sign; a path may hold a quoted part, as `file:hashes.'SHA-256'`.
fn word(rest: &str) -> Option<(Token<'_>, &str)> {
    let mut is_quoted = false;
    let end = rest.char_indices().find(|(_, c)| {
        if *c == '\'' {
            is_quoted = !is_quoted;
        }
        !is_quoted && (c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>' | '(' | ')' | ']' | ','))
    });
    let end = end.map_or(rest.len(), |(at, _)| at);
    let (word, after) = rest.split_at_checked(end.max(1))?;
    Some((Token::Word(word), after))
}

/// A string from behind its opening quote.
fn text(rest: &str) -> Option<(Token<'_>, &str)> {
    let mut value = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Some((Token::Text(value), rest.get(at + 1..)?)),
            '\\' => value.push(chars.next()?.1),
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;

    /// Taken by kind, skipped kinds, complaints.
    fn read(pattern: &str) -> ([u64; 4], Vec<(String, u64)>, usize) {
        let bundle = serde_json::json!({"type": "bundle", "objects": [{"type": "indicator", "pattern": pattern, "pattern_type": "stix"}]});
        let loaded = read_text("a.stix2", bundle.to_string().as_bytes());
        (loaded.tallies()[0].taken, loaded.tallies()[0].skipped.clone().into_iter().collect(), loaded.complaints.len())
    }

    #[test]
    fn comparisons_are_taken_whatever_joins_them() {
        assert_eq!(read("[domain-name:value='evil.example']"), ([1, 0, 0, 0], vec![], 0));
        assert_eq!(read("[ domain-name:value = 'a.example' OR domain-name:value = 'b.example' ]").0, [2, 0, 0, 0]);
        assert_eq!(read("([ipv4-addr:value = '198.51.100.7'] AND [ipv6-addr:value = '2001:db8::1']) WITHIN 5 SECONDS").0, [0, 0, 1, 1]);
        assert_eq!(
            read("[url:value = 'http://evil.example/a'] FOLLOWEDBY [domain-name:value IN ('a.example', 'b.example')]").0,
            [2, 1, 0, 0]
        );
        assert_eq!(read("[ipv4-addr:value ISSUBSET '198.51.100.0/24']").0, [0, 0, 1, 0]);
        assert_eq!(read("[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]").0, [0, 0, 1, 0]);
        assert_eq!(read("[domain-name:value='it\\'s.example']").2, 1, "an escape is part of the value");
    }

    #[test]
    fn the_rest_is_counted_by_kind() {
        let (taken, skipped, complaints) = read(
            "[file:hashes.'SHA-256' = 'ab' OR file:name = 'x' OR email-addr:value = 'a@b.example' OR domain-name:value LIKE '%.example']",
        );
        assert_eq!((taken, complaints), ([0; 4], 0));
        let names: Vec<&str> = skipped.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["domain-name:value LIKE", "email-addr:value", "file:hashes", "file:name"]);
        assert_eq!(read("[domain-name:value != 'good.example']").1, [("domain-name:value !=".to_owned(), 1)]);
    }

    #[test]
    fn broken_patterns_are_told() {
        for pattern in ["[domain-name:value = 'evil", "[]", "", "[domain-name:value]", "domain-name:value ="] {
            let (taken, skipped, complaints) = read(pattern);
            assert_eq!((taken, complaints + skipped.len()), ([0; 4], 1), "{pattern}");
        }
    }
}
