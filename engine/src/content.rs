//! What an input's first bytes show it to be, before anything is read out of it.

/// The kind of content, after decompression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Nothing, or white space alone.
    Empty,
    /// A JSON object or array.
    Json,
    /// HTML or XML: a table's page, or an error page in place of a file.
    Markup,
    /// Text of any other kind.
    Text,
    /// UTF-16 text, as spreadsheets save it.
    Utf16,
    /// An archive of files, by its format's name.
    Archive(&'static str),
    /// None of these.
    Binary,
}

/// The byte order mark of UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Content {
    /// Recognises content by its first bytes; some hundred are enough.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        // Signatures: PKWARE APPNOTE 4.3.7, the xz file format 2.1.1.1, bzip2's "BZh".
        match start {
            [b'P', b'K', 3, 4, ..] => return Self::Archive("zip"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Self::Archive("xz"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => return Self::Archive("bzip2"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Self::Utf16,
            _ => {}
        }
        let text = start
            .strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(start)
            .trim_ascii_start();
        if is_binary(text) {
            return Self::Binary;
        }
        match text.first() {
            None => Self::Empty,
            Some(b'{' | b'[') => Self::Json,
            Some(b'<') => Self::Markup,
            Some(_) => Self::Text,
        }
    }
}

/// Whether bytes are no text: a NUL is in none, and stray control characters are few. DEL is not counted: JSON has it as
/// it stands, so that it may be anywhere in a document of our own.
fn is_binary(bytes: &[u8]) -> bool {
    let is_stray = |byte: &&u8| **byte < b' ' && !byte.is_ascii_whitespace();
    bytes.contains(&0) || bytes.iter().filter(is_stray).count() * 20 > bytes.len()
}

/// The first words of a page for people: its tags dropped, one line, at most `max_chars`.
#[must_use]
pub fn page_text(page: &[u8], max_chars: usize) -> String {
    let page = String::from_utf8_lossy(page);
    let mut text = String::new();
    let mut is_tag = false;
    for character in page.chars() {
        match character {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                text.push(' ');
            }
            _ if is_tag => {}
            _ => text.push(character),
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_content_by_its_first_bytes() {
        for (start, content) in [
            (&b""[..], Content::Empty),
            (b" \r\n", Content::Empty),
            (b"\xef\xbb\xbfspkid,e", Content::Text),
            (b" {\"count\":1}", Content::Json),
            (b"\n<!DOCTYPE html>", Content::Markup),
            (b"spkid,e,a\n", Content::Text),
            (b"\xff\xfes\0p\0", Content::Utf16),
            (b"PK\x03\x04rest", Content::Archive("zip")),
            (b"\x7fELF\x02\x01\x01\0", Content::Binary),
            ("‘Aylo’chaxnim".as_bytes(), Content::Text),
            (b"22P/ Kop\x0b  5.30E+12 2.20E+12\n", Content::Text),
            (b"{\"des\":\"\x7f\x7f\x7f\"}", Content::Json),
            (b"\x89PNG\r\n\x1a\n\x01\x02", Content::Binary),
        ] {
            assert_eq!(
                Content::of(start),
                content,
                "{}",
                String::from_utf8_lossy(start)
            );
        }
    }

    #[test]
    fn a_page_is_told_in_its_own_words() {
        let page = b"<html><head><title>503 Service\nUnavailable</title></head><body>Try later";
        assert_eq!(page_text(page, 80), "503 Service Unavailable Try later");
        assert_eq!(page_text(page, 11), "503 Service");
    }
}
