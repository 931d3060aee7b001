//! Which bodies can be taken up again, and how the rest is known to belong to the beginning (RFC 9110,
//! sections 13.1.5 and 14).

use reqwest::Response;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, LAST_MODIFIED,
};

/// By what a server knows the version of a document.
#[derive(Debug, Clone)]
pub(super) struct Validator {
    /// The headers that say which version it is and how it is encoded.
    version: [Option<HeaderValue>; 3],
    value: HeaderValue,
}

impl Validator {
    /// The validator of a body that can be taken up again: its server takes ranges, or marks the version to the
    /// byte.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let etag = headers.get(ETAG).filter(|etag| is_strong(etag));
        let takes_ranges = match headers.get(ACCEPT_RANGES) {
            Some(unit) => unit.as_bytes().eq_ignore_ascii_case(b"bytes"),
            None => etag.is_some(),
        };
        let value = etag
            .or(headers.get(LAST_MODIFIED))
            .filter(|_| takes_ranges)?;
        Some(Validator {
            version: version(headers),
            value: value.clone(),
        })
    }

    /// The value of the header If-Range.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.value
    }

    /// Checks that an answer of status 206 is the rest of the same version from `offset` on, and returns the whole
    /// body's length as far as it is known now.
    ///
    /// # Errors
    /// Why it does not go on.
    pub(super) fn goes_on(
        &self,
        response: &Response,
        offset: u64,
        total: Option<u64>,
    ) -> Result<Option<u64>, &'static str> {
        let headers = response.headers();
        let range = headers.get(CONTENT_RANGE).and_then(content_range);
        let (start, new_total) = range.ok_or("the server does not say what it sends")?;
        if start != offset {
            return Err("the server sends another part than the missing one");
        }
        if total.is_some() && new_total.is_some() && total != new_total {
            return Err("the document has another length now");
        }
        // An answer of status 206 may leave out what the first one said.
        let is_other =
            |(old, new): (&Option<HeaderValue>, &Option<HeaderValue>)| new.is_some() && old != new;
        if self.version.iter().zip(&version(headers)).any(is_other) {
            return Err("the document has changed");
        }
        // Without a length, the end of a part that the server has cut shorter would pass for the body's end.
        let total = total.or(new_total);
        total
            .ok_or("the server does not say how long the document is")
            .map(Some)
    }
}

fn version(headers: &HeaderMap) -> [Option<HeaderValue>; 3] {
    [ETAG, LAST_MODIFIED, CONTENT_ENCODING].map(|name| headers.get(name).cloned())
}

/// Whether two bodies of this tag are the same to the byte: a weak one is `W/"…"`.
fn is_strong(etag: &HeaderValue) -> bool {
    etag.as_bytes().starts_with(b"\"")
}

/// The start and the whole length in `bytes 100-199/1000` or `bytes 100-199/*`.
fn content_range(value: &HeaderValue) -> Option<(u64, Option<u64>)> {
    let (range, total) = value
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (start, _end) = range.split_once('-')?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((start.trim().parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    fn validator(headers: &[(HeaderName, &'static str)]) -> Option<String> {
        let header = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = headers.iter().map(header).collect();
        let validator = Validator::of(&headers)?;
        Some(validator.header().to_str().unwrap().to_owned())
    }

    #[test]
    fn a_body_is_resumable_with_a_validator_and_a_server_that_takes_ranges() {
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        let bytes = (ACCEPT_RANGES, "bytes");
        for (headers, value) in [
            (&[(ETAG, "\"1\"")][..], Some("\"1\"")),
            (
                &[(ETAG, "\"1\""), (LAST_MODIFIED, date), bytes.clone()],
                Some("\"1\""),
            ),
            (
                &[(ETAG, "W/\"1\""), (LAST_MODIFIED, date), bytes.clone()],
                Some(date),
            ),
            (&[(LAST_MODIFIED, date), bytes.clone()], Some(date)),
            (&[(LAST_MODIFIED, date)], None),
            (&[(ETAG, "W/\"1\""), bytes.clone()], None),
            (&[(ETAG, "\"1\""), (ACCEPT_RANGES, "none")], None),
            (&[bytes], None),
            (&[], None),
        ] {
            assert_eq!(validator(headers).as_deref(), value, "{headers:?}");
        }
    }

    #[test]
    fn content_ranges_are_read() {
        for (text, range) in [
            ("bytes 100-199/1000", Some((100, Some(1000)))),
            ("bytes 100-199/*", Some((100, None))),
            ("bytes */1000", None),
            ("rows 1-2/3", None),
            ("bytes 1-2/x", None),
        ] {
            assert_eq!(
                content_range(&HeaderValue::from_static(text)),
                range,
                "{text}"
            );
        }
    }
}
