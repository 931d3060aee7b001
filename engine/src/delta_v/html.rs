//! Takes a line of a saved web page back to the text that a reader of the page sees.
//!
//! It works a line at a time, which is how the table stands in its page: a tag left open at the end
//! of a line ends there. It knows no nesting, and needs none.

use std::borrow::Cow;

/// The longest entity that is decoded, without its `&` and `;`.
const MAX_ENTITY_BYTES: usize = 8;

/// Returns `line` without tags and with its entities decoded; a `<br>` becomes a line break.
pub(super) fn visible_text(line: &str) -> Cow<'_, str> {
    if memchr::memchr2(b'<', b'&', line.as_bytes()).is_none() {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((seen, num_bytes)) = tag(rest).or_else(|| entity(rest)) {
            text.extend(seen);
            rest = &rest[num_bytes..];
        } else {
            // Both characters are one byte long.
            text.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Says whether `text` is meant as a web page.
pub(super) fn looks_like_html(text: &str) -> bool {
    let text = text.trim_start();
    let has = |tag: &[u8]| {
        text.as_bytes()
            .windows(tag.len())
            .any(|w| w.eq_ignore_ascii_case(tag))
    };
    text.starts_with('<') || has(b"<html") || has(b"<body") || has(b"<pre")
}

/// The tag or comment that `text` begins with: what is seen of it, and its length in bytes.
fn tag(text: &str) -> Option<(Option<char>, usize)> {
    let inside = text.strip_prefix('<')?;
    let begins_tag = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
    if !inside.starts_with(begins_tag) {
        return None;
    }
    let end = memchr::memchr(b'>', text.as_bytes()).map_or(text.len(), |at| at + 1);
    let is_break = inside
        .get(..2)
        .is_some_and(|name| name.eq_ignore_ascii_case("br"));
    Some((is_break.then_some('\n'), end))
}

/// The entity that `text` begins with: its character, and its length in bytes.
fn entity(text: &str) -> Option<(Option<char>, usize)> {
    let inside = text.strip_prefix('&')?;
    let window = &inside.as_bytes()[..inside.len().min(MAX_ENTITY_BYTES + 1)];
    let end = memchr::memchr(b';', window)?;
    let name = inside[..end].to_ascii_lowercase();
    let character = match name.as_str() {
        "nbsp" => ' ',
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match char::from_u32(code_point(&name)?)? {
            '\u{a0}' => ' ',
            other => other,
        },
    };
    Some((Some(character), end + 2))
}

/// The number in a numeric entity, `#39` or `#x27`.
fn code_point(name: &str) -> Option<u32> {
    let digits = name.strip_prefix('#')?;
    match digits.strip_prefix('x') {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(line: &str, expected: &str) {
        assert_eq!(visible_text(line), expected, "{line}");
    }

    #[test]
    fn drops_tags_in_any_case() {
        check("<PRE> 1 <A HREF=\"x\">RADAR</a>", " 1 RADAR");
        check("<!-- aside --> 1", " 1");
        check("1 <a href='x'", "1 ");
        check("1<BR/>2", "1\n2");
    }

    #[test]
    fn decodes_entities() {
        check("&nbsp;1&NBSP;2&#160;3&#xA0;4", " 1 2 3 4");
        check(
            "G!kun||&#39;homdima &amp; d&apos;Arrest &#X27;",
            "G!kun||'homdima & d'Arrest '",
        );
        check("&lt;1&gt; &quot;", "<1> \"");
    }

    #[test]
    fn leaves_what_is_neither_tag_nor_entity() {
        check("q < 1.3 & a > 1", "q < 1.3 & a > 1");
        check(
            "R&D; &unknownentity; &#55296; &",
            "R&D; &unknownentity; &#55296; &",
        );
        check("a <", "a <");
    }

    proptest! {
        #[test]
        fn any_line_is_taken(line in "(?s).*") {
            let _ = visible_text(&line);
        }

        #[test]
        fn any_soup_of_tags_is_taken(line in "[<>&;#x!/a-b0-9é' ]{0,60}") {
            let _ = visible_text(&line);
        }
    }
}
