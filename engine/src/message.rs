//! A message: items of a run on their way to the table, as one text of JSON.
//!
//! ```text
//! {"run":"2026-11-25T101500Z","seq":0,"items":[{"designation":"433",…},{…}]}
//! ```
//!
//! [`Packer`] makes them of items' lines, [`Message`] reads them. Queues and how messages get there are for
//! others. The bound: a packer holds one message, at most [`MAX_BYTES`].

use std::borrow::Cow;
use std::fmt::Write;

use memchr::memchr_iter;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest message, in bytes: SQS bills by 64 KiB (Amazon SQS pricing), of which this leaves some for what
/// a sender adds.
pub const MAX_BYTES: usize = 60 << 10;

/// What stands between the number and the first item, and behind the last one.
const ITEMS: &str = ",\"items\":[";
const END: &str = "]}";
/// The digits of the longest number.
const MAX_SEQ_BYTES: usize = 20;

/// A message as it is read, whose items are the lines that were packed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message<'a> {
    /// The run that sent it.
    #[serde(borrow)]
    pub run: Cow<'a, str>,
    /// Its number among the run's messages, from 0 without gaps.
    pub seq: u64,
    /// Its items, each as it stands.
    #[serde(borrow)]
    pub items: Vec<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads a message's body. What is in its items is not looked at.
    ///
    /// # Errors
    /// Where the body is no JSON, or no message.
    pub fn parse(body: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }
}

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Its number among the run's messages.
    pub seq: u64,
    /// How many items are in it.
    pub num_items: u64,
    /// Its text, at most [`MAX_BYTES`] and legal in XML 1.0.
    pub body: String,
}

/// An item that is longer than a message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an item of {bytes} bytes does not fit a message")]
pub struct TooLong {
    /// Its length as JSON.
    pub bytes: usize,
}

/// Packs the items of a run into messages, each as full as the next item allows.
#[derive(Debug)]
pub struct Packer {
    /// How each message begins, up to its number.
    start: String,
    seq: u64,
    /// The message that is being filled; empty before its first item.
    body: String,
    num_items: u64,
    escaped: String,
}

impl Packer {
    /// Begins with message 0 of `run`, whose name is short.
    ///
    /// # Panics
    /// Never: a text is written to memory.
    #[must_use]
    pub fn new(run: &str) -> Self {
        let run = serde_json::to_string(run).expect("a text is written to memory");
        let mut start = String::from("{\"run\":");
        escape(&run, &mut start);
        start.push_str(",\"seq\":");
        Packer {
            start,
            seq: 0,
            body: String::new(),
            num_items: 0,
            escaped: String::new(),
        }
    }

    /// Adds an item, which is an object of JSON. Returns the message before it, where that is full.
    ///
    /// # Errors
    /// [`TooLong`] where no message can hold the item: it is left out.
    pub fn add(&mut self, item: &str) -> Result<Option<Packed>, TooLong> {
        if !may_be_illegal(item) {
            return self.add_legal(item);
        }
        let mut escaped = std::mem::take(&mut self.escaped);
        escaped.clear();
        escape(item, &mut escaped);
        let added = self.add_legal(&escaped);
        self.escaped = escaped;
        added
    }

    #[inline]
    fn add_legal(&mut self, item: &str) -> Result<Option<Packed>, TooLong> {
        let bytes = item.len();
        if self.start.len() + MAX_SEQ_BYTES + ITEMS.len() + bytes + END.len() > MAX_BYTES {
            return Err(TooLong { bytes });
        }
        let mut full = None;
        if self.body.len() + ",".len() + bytes + END.len() > MAX_BYTES {
            full = self.flush();
        }
        if self.body.is_empty() {
            self.open();
        } else {
            self.body.push(',');
        }
        self.body.push_str(item);
        self.num_items += 1;
        Ok(full)
    }

    fn open(&mut self) {
        self.body.reserve_exact(MAX_BYTES);
        // Writing to a text cannot fail.
        let _ = write!(self.body, "{}{}{ITEMS}", self.start, self.seq);
    }

    /// Returns the message that is being filled, where there is one. The next item begins another.
    pub fn flush(&mut self) -> Option<Packed> {
        if self.body.is_empty() {
            return None;
        }
        let mut body = std::mem::take(&mut self.body);
        body.push_str(END);
        let packed = Packed {
            seq: self.seq,
            num_items: std::mem::take(&mut self.num_items),
            body,
        };
        self.seq += 1;
        Some(packed)
    }
}

/// The first of the three bytes of U+FFFE and U+FFFF. They alone of what JSON may have as it stands are not
/// legal in XML 1.0 (its production 2, "Char"), which SQS demands of a message.
const LEAD: u8 = 0xef;

fn may_be_illegal(item: &str) -> bool {
    memchr::memchr(LEAD, item.as_bytes()).is_some()
}

/// Appends JSON with U+FFFE and U+FFFF, which can only stand in its texts, written as escapes.
fn escape(json: &str, out: &mut String) {
    let mut start = 0;
    for at in memchr_iter(LEAD, json.as_bytes()) {
        let escaped = match json.as_bytes().get(at + 1..at + 3) {
            Some(b"\xbf\xbe") => "\\ufffe",
            Some(b"\xbf\xbf") => "\\uffff",
            _ => continue,
        };
        out.push_str(&json[start..at]);
        out.push_str(escaped);
        start = at + 3;
    }
    out.push_str(&json[start..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(run: &str, lines: &[String]) -> (Vec<Packed>, Vec<TooLong>) {
        let mut packer = Packer::new(run);
        let (mut messages, mut too_long) = (Vec::new(), Vec::new());
        for line in lines {
            match packer.add(line) {
                Ok(full) => messages.extend(full),
                Err(error) => too_long.push(error),
            }
        }
        messages.extend(packer.flush());
        (messages, too_long)
    }

    /// An item with one text, which is `filling` and then as many bytes as asked for.
    fn item(filling: &str, num_bytes: usize) -> String {
        let name = filling.to_owned() + &"x".repeat(num_bytes);
        format!("{{\"name\":{}}}", serde_json::to_string(&name).unwrap())
    }

    /// Production 2 of XML 1.0.
    fn is_legal(character: char) -> bool {
        matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn a_message_is_the_documented_text() {
        let lines = [item("a", 0), item("b", 0)];
        let (messages, _) = pack("weekly", &lines);
        assert_eq!(
            messages,
            [Packed {
                seq: 0,
                num_items: 2,
                body: r#"{"run":"weekly","seq":0,"items":[{"name":"a"},{"name":"b"}]}"#.to_owned()
            }]
        );
        assert_eq!(pack("weekly", &[]).0, []);
    }

    #[test]
    fn a_message_is_filled_to_its_last_byte() {
        let around = r#"{"run":"r","seq":0,"items":[]}"#.len();
        let first = item("", 40_000);
        let fitting = MAX_BYTES - around - first.len() - 1 - item("", 0).len();
        for (num_bytes, num_messages) in [(fitting, 1), (fitting + 1, 2)] {
            let (messages, _) = pack("r", &[first.clone(), item("", num_bytes)]);
            assert_eq!(messages.len(), num_messages);
            assert_eq!(messages[0].body.len() == MAX_BYTES, num_messages == 1);
        }
    }

    #[test]
    fn an_item_that_no_message_holds_is_left_out_and_the_others_are_sent() {
        let long = item("", MAX_BYTES);
        let (messages, too_long) = pack("r", &[item("a", 0), long.clone(), item("b", 0)]);
        assert_eq!(too_long, [TooLong { bytes: long.len() }]);
        let body = r#"{"run":"r","seq":0,"items":[{"name":"a"},{"name":"b"}]}"#;
        assert_eq!(messages[0].body, body);
    }

    #[test]
    fn the_two_characters_that_xml_forbids_are_escaped() {
        let (messages, _) = pack(
            "r",
            &[r#"{"name":"\ufffe"}"#.replace("\\ufffe", "\u{fffe}ｘ\u{ffff}\u{fffd}")],
        );
        let body = "{\"run\":\"r\",\"seq\":0,\"items\":[{\"name\":\"\\ufffeｘ\\uffff\u{fffd}\"}]}";
        assert_eq!(messages[0].body, body);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for body in [
            "",
            "{}",
            r#"{"run":"r","seq":-1,"items":[]}"#,
            r#"{"run":"r","seq":0,"items":{}}"#,
            r#"{"run":"r","seq":0,"items":[{]}"#,
            r#"{"run":"r","seq":0,"items":[],"more":1}"#,
        ] {
            assert!(Message::parse(body).is_err(), "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_line_comes_out_once_in_order_within_the_limits(
            run in any::<String>(),
            parts in prop::collection::vec(
                ("[\\x00-\\x1fa\u{ef00}\u{fffd}-\u{10001}]{0,3}", 0..20_000_usize),
                0..30,
            ),
        ) {
            let lines: Vec<String> =
                parts.iter().map(|(filling, len)| item(filling, *len)).collect();
            let (messages, too_long) = pack(&run, &lines);
            prop_assert!(too_long.is_empty());
            let mut found = Vec::new();
            for (seq, packed) in messages.iter().enumerate() {
                prop_assert!(packed.body.len() <= MAX_BYTES);
                prop_assert!(packed.body.chars().all(is_legal));
                let message = Message::parse(&packed.body).unwrap();
                prop_assert_eq!(&message.run, &run);
                prop_assert_eq!((packed.seq, message.seq), (seq as u64, seq as u64));
                prop_assert_eq!(packed.num_items, message.items.len() as u64);
                found.extend(message.items.iter().map(|item| item.get().to_owned()));
            }
            prop_assert_eq!(found.len(), lines.len());
            for (found, line) in found.iter().zip(&lines) {
                let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
                prop_assert_eq!(value(found), value(line));
                if line.chars().all(is_legal) {
                    prop_assert_eq!(found, line);
                }
            }
            for pair in messages.windows(2) {
                let next = Message::parse(&pair[1].body).unwrap().items[0].get().len();
                prop_assert!(pair[0].body.len() + 1 + next > MAX_BYTES, "none is closed too early");
            }
        }
    }
}
