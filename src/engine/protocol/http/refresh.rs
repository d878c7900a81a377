//! The value of a Refresh field or of `<meta http-equiv="refresh">`, read as browsers do.

/// The address in a refresh value such as `0; url='http://a.example/'`; None when it only reloads the page or is malformed.
///
/// Follows the "shared declarative refresh steps" of the HTML standard.
pub(super) fn target(value: &str) -> Option<&str> {
    let value = value.trim_start();
    let digits = value.trim_start_matches(|c: char| c.is_ascii_digit());
    if digits.len() == value.len() && !value.starts_with('.') {
        return None;
    }
    let after_time = digits.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let address = after_time.trim_start();
    let address = match address.strip_prefix([';', ',']) {
        Some(rest) => rest.trim_start(),
        None if address.len() < after_time.len() => address,
        None => return None,
    };
    let address = unquote(after_url_key(address).unwrap_or(address)).trim();
    (!address.is_empty()).then_some(address)
}

fn after_url_key(text: &str) -> Option<&str> {
    let (key, rest) = text.split_at_checked(3)?;
    let rest = rest.trim_start().strip_prefix('=')?;
    key.eq_ignore_ascii_case("url").then(|| rest.trim_start())
}

/// The text inside the quote it begins with; a quote that is not closed runs to the end.
fn unquote(text: &str) -> &str {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) else { return text };
    let inside = text.get(1..).unwrap_or_default();
    inside.split(quote).next().unwrap_or(inside)
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn every_spelling_that_browsers_follow_is_read() {
        for value in [
            "0;url=http://a.example/x",
            "0; URL=http://a.example/x",
            " 5 ; uRl = 'http://a.example/x'",
            "0;url=\"http://a.example/x\" trailing",
            "0,url=http://a.example/x",
            "0 url=http://a.example/x",
            "0.5;url='http://a.example/x",
            ".5;url=http://a.example/x",
            "0;http://a.example/x",
            "0;'http://a.example/x'",
        ] {
            assert_eq!(target(value), Some("http://a.example/x"), "{value}");
        }
    }

    #[test]
    fn a_reload_of_the_same_page_is_no_redirect() {
        for value in ["", "5", "5;", "5; url=", "0;url=''", "url=http://a.example/", "soon;url=http://a.example/", "0url=x", "-1;url=x"] {
            assert_eq!(target(value), None, "{value}");
        }
    }

    #[test]
    fn letters_that_are_not_ascii_do_not_upset_it() {
        assert_eq!(target("0;ü"), Some("ü"));
        assert_eq!(target("0;日本"), Some("日本"));
    }
}
