//! The API's JSON document: an object with an array `data` of rows, each an array of strings, numbers and
//! nulls. The object's keys come in any order; everything but `data` is small and is left to `serde_json`.

use memchr::memchr2;
use serde::Deserialize;

use super::brackets::last_row_end;
use super::{Cells, Fault, Plan};
use crate::reject::Reason;

/// What a document says beside its rows.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct JsonHead {
    /// The columns, in the order of the cells.
    pub(crate) fields: Option<Vec<String>>,
    /// The number of matches that the server counted, as a number or a string.
    count: Option<serde_json::Value>,
    /// What went wrong, in an error reply.
    pub(crate) message: Option<String>,
    /// Who made the document.
    pub(crate) signature: Option<Signature>,
    /// The array of rows, here so that a second one is an error and not passed over.
    #[serde(rename = "data")]
    _data: Option<serde::de::IgnoredAny>,
}

/// Who made a document.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Signature {
    source: Option<serde_json::Value>,
    version: Option<serde_json::Value>,
}

impl Signature {
    /// Who made the document and by which version of the interface.
    pub(crate) fn made_by(&self) -> Option<String> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let source = self.source.as_ref().map(text)?;
        Some(match self.version.as_ref().map(text) {
            Some(version) => format!("{source} {version}"),
            None => source,
        })
    }
}

impl JsonHead {
    /// The number of matches that the server counted.
    pub(crate) fn count(&self) -> Option<u64> {
        match self.count.as_ref()? {
            serde_json::Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        }
    }
}

/// Where the array `data` of a document begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DataStart {
    /// Behind its opening bracket, at this position.
    At(usize),
    /// Not yet in these bytes.
    Further,
    /// The document ends, or is not of the form, without one.
    Absent,
}

/// Finds the rows in the first bytes of a document.
pub(crate) fn find_data(bytes: &[u8]) -> DataStart {
    let mut depth = 0_u32;
    let mut at = 0;
    let mut is_data_key = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let Some(end) = string_end(bytes, at + 1) else {
                    return DataStart::Further;
                };
                is_data_key = depth == 1 && &bytes[at + 1..end] == b"data";
                at = end;
            }
            b'[' if is_data_key && depth == 1 => return DataStart::At(at + 1),
            b'[' | b'{' => {
                depth += 1;
                is_data_key = false;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return DataStart::Absent;
                }
            }
            b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => is_data_key = false,
        }
        at += 1;
    }
    DataStart::Further
}

/// The position of the quote that closes the string whose text begins at `from`.
fn string_end(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        from += memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes[from] == b'"' {
            return Some(from);
        }
        from += 2;
    }
}

/// Finds row ends in the array `data`, keeping its place between buffers.
#[derive(Debug, Default)]
pub(crate) struct JsonFraming {
    depth: u32,
    is_string: bool,
    is_escape: bool,
}

/// What a scan found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// The position behind the last row end.
    pub(super) boundary: Option<usize>,
    /// The position of the bracket that closes the array.
    pub(super) end: Option<usize>,
}

impl JsonFraming {
    /// Scans `bytes` from `from`, where the last scan ended; with `is_first` only up to the first row end.
    /// `bytes` begins behind a row, or inside one that is longer.
    pub(super) fn scan(&mut self, bytes: &[u8], from: usize, is_first: bool) -> Scan {
        if is_first {
            return self.scan_bytes(bytes, from, is_first);
        }
        // Rows of plain cells are passed in one go, the rest of the way byte by byte.
        let Some(boundary) = last_row_end(bytes) else {
            return self.scan_bytes(bytes, from, is_first);
        };
        *self = JsonFraming::default();
        let found = self.scan_bytes(bytes, boundary, is_first);
        Scan {
            boundary: found.boundary.or(Some(boundary)),
            end: found.end,
        }
    }

    fn scan_bytes(&mut self, bytes: &[u8], from: usize, is_first: bool) -> Scan {
        let mut found = Scan::default();
        let mut at = from;
        while at < bytes.len() {
            if self.is_escape {
                self.is_escape = false;
                at += 1;
            } else if self.is_string {
                let Some(special) = memchr2(b'"', b'\\', &bytes[at..]) else {
                    break;
                };
                at += special;
                self.is_escape = bytes[at] == b'\\';
                self.is_string = self.is_escape;
                at += 1;
            } else {
                match bytes[at] {
                    b'"' => self.is_string = true,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' if self.depth == 0 => {
                        found.end = Some(at);
                        return found;
                    }
                    b']' | b'}' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            found.boundary = Some(at + 1);
                            if is_first {
                                return found;
                            }
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
        }
        found
    }
}

/// The position of the next row from `at` on, behind commas and white space.
pub(super) fn skip_separators(bytes: &[u8], at: usize) -> Option<usize> {
    let is_separator = |byte: &u8| matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n');
    bytes[at..]
        .iter()
        .position(|byte| !is_separator(byte))
        .map(|skipped| at + skipped)
}

/// Locates the wanted cells of the row at `start` and returns the position behind the row.
pub(super) fn locate(
    bytes: &[u8],
    start: usize,
    plan: &Plan,
    cells: &mut Cells,
) -> (usize, Result<(), Fault>) {
    match try_locate(bytes, start, plan, cells) {
        Ok((end, num_fields)) if num_fields == plan.width() => (end, Ok(())),
        Ok((end, num_fields)) => (end, Err(Fault::field_count(num_fields, plan.width()))),
        Err(Malformed(message)) => (
            row_end(bytes, start),
            Err(Fault::new(Reason::Malformed, message)),
        ),
    }
}

struct Malformed(&'static str);

/// The end of the row and its number of cells.
fn try_locate(
    bytes: &[u8],
    start: usize,
    plan: &Plan,
    cells: &mut Cells,
) -> Result<(usize, usize), Malformed> {
    if bytes[start] != b'[' {
        return Err(Malformed("a row is not an array"));
    }
    let mut at = skip_space(bytes, start + 1);
    let mut num_fields = 0;
    if bytes.get(at) == Some(&b']') {
        return Ok((at + 1, 0));
    }
    loop {
        at = locate_cell(bytes, at, plan.slot(num_fields), cells)?;
        num_fields += 1;
        at = skip_space(bytes, at);
        match bytes.get(at) {
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b']') => return Ok((at + 1, num_fields)),
            _ => return Err(Malformed("cells are not separated by commas")),
        }
    }
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    at + bytes[at..].iter().take_while(is_space).count()
}

/// Locates the cell at `at` and returns the position behind it.
fn locate_cell(
    bytes: &[u8],
    at: usize,
    slot: Option<usize>,
    cells: &mut Cells,
) -> Result<usize, Malformed> {
    match bytes.get(at) {
        Some(b'"') => {
            let start = at + 1;
            let Some(end) = string_end(bytes, start) else {
                return Err(Malformed("a string is never closed"));
            };
            if let Some(slot) = slot {
                let text = &bytes[start..end];
                if memchr::memchr(b'\\', text).is_none() {
                    cells.set(slot, text);
                } else {
                    cells.set(slot, unescaped(&bytes[at..=end])?.as_bytes());
                }
            }
            Ok(end + 1)
        }
        Some(b'[' | b'{') => Err(Malformed("a cell is an array or an object")),
        _ => {
            let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
            let end = at + bytes[at..].iter().take_while(is_word).count();
            match (&bytes[at..end], slot) {
                (b"", _) => return Err(Malformed("a cell is no string, number or null")),
                (b"null", _) | (_, None) => {}
                (word, Some(slot)) => cells.set(slot, word),
            }
            Ok(end)
        }
    }
}

/// The text of a JSON string, given with its quotes.
fn unescaped(string: &[u8]) -> Result<String, Malformed> {
    serde_json::from_slice(string).map_err(|_| Malformed("a string has a wrong escape"))
}

/// The end of a bare value, or several: up to the next row or separator that stands in no string.
fn bare_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    loop {
        let is_special = |byte: &u8| matches!(byte, b',' | b'[' | b'{' | b'"');
        match bytes[at..].iter().position(is_special) {
            None => return bytes.len(),
            Some(found) if bytes[at + found] == b'"' => match string_end(bytes, at + found + 1) {
                None => return bytes.len(),
                Some(end) => at = end + 1,
            },
            Some(found) => return at + found,
        }
    }
}

/// The end of a row that could not be read, by its brackets alone.
fn row_end(bytes: &[u8], start: usize) -> usize {
    if !matches!(bytes[start], b'[' | b'{') {
        return bare_end(bytes, start);
    }
    JsonFraming::default()
        .scan(bytes, start, true)
        .boundary
        .unwrap_or(bytes.len())
}
