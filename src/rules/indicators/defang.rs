//! Spellings that keep a program from making a link of an indicator, undone.

use std::borrow::Cow;

/// Spellings of one character.
const SPELLINGS: [(&str, &str); 16] = [
    ("[://]", "://"),
    ("[:]//", "://"),
    ("(:)//", "://"),
    ("[:/]/", "://"),
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    (" dot ", "."),
    ("[:]", ":"),
    ("(:)", ":"),
    ("[/]", "/"),
    ("[.", "."),
    (".]", "."),
];
/// Schemes as they are broken, and what they were.
const SCHEMES: [(&str, &str); 6] =
    [("hxxps", "https"), ("hxxp", "http"), ("h**ps", "https"), ("h**p", "http"), ("meows", "https"), ("meow", "http")];

/// The indicator as it was before somebody made it harmless to click on; white space around it is gone too.
pub(super) fn refanged(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let mut out = Cow::Borrowed(text);
    // An IPv6 address stands in brackets by right.
    let is_address = |text: &str| text.starts_with('[') && text.contains("::");
    if text.contains(['[', '(', '{', ' ']) && !is_address(text) {
        for (spelling, meant) in SPELLINGS {
            out = replaced(out, spelling, meant);
        }
    }
    if text.contains("\\.") {
        out = replaced(out, "\\.", ".");
    }
    let scheme = SCHEMES.iter().find(|(broken, _)| {
        let head = out.get(..broken.len()).is_some_and(|head| head.eq_ignore_ascii_case(broken));
        head && out.get(broken.len()..).is_some_and(|rest| rest.starts_with(':'))
    });
    match scheme {
        Some((broken, meant)) => Cow::Owned(format!("{meant}{}", out.get(broken.len()..).unwrap_or_default())),
        None => out,
    }
}

/// Every `spelling`, in upper or lower case, replaced.
fn replaced<'a>(text: Cow<'a, str>, spelling: &str, meant: &str) -> Cow<'a, str> {
    // ASCII lower case keeps every byte in its place.
    let low = text.to_ascii_lowercase();
    if !low.contains(spelling) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in low.match_indices(spelling) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(meant);
        from = at + spelling.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::refanged;

    #[test]
    fn every_common_spelling_is_undone() {
        for (written, meant) in [
            ("evil[.]example", "evil.example"),
            ("evil(.)example", "evil.example"),
            ("evil[dot]sub(DOT)example", "evil.sub.example"),
            ("evil dot example", "evil.example"),
            ("evil\\.example", "evil.example"),
            ("hxxp://evil[.]example/a", "http://evil.example/a"),
            ("hXXps[:]//evil[.]example", "https://evil.example"),
            ("hxxp[://]evil.example", "http://evil.example"),
            ("198.51.100[.]7", "198.51.100.7"),
            ("198[.51[.100[.7", "198.51.100.7"),
            ("2001[:]db8[:][:]1", "2001:db8::1"),
            ("  evil.example\t", "evil.example"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("http://hxxp.example/", "http://hxxp.example/"),
            ("hxxp.example", "hxxp.example"),
        ] {
            assert_eq!(refanged(written), meant, "{written}");
        }
    }
}
