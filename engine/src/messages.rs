//! A run's items as messages: [`MessageSink`] packs them, [`send_all`] sends them, [`send_while`] does both.
//!
//! The sink sees every body once, in the order of the input, and decides what the table on AWS cannot: which
//! rows have the designation of an earlier one, which items DynamoDB does not hold, and which bodies are among
//! the best of a ranking. Those are held back until the end, when that is known, and say so in one more
//! attribute, `"top":["price","dv"]`. The same inputs and the same run give the same messages, byte for byte.
//!
//! The bounds: 7 rankings × 3 kinds × the limit of bodies held back, some 500 bytes each; a key of 24 bytes for
//! each body; one message; [`MESSAGES_WAITING`] packed ones before the sender, and what it has in flight.

mod keys;
mod ranked;
mod send;
pub(crate) mod top;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use tokio::sync::mpsc;

use self::keys::Keys;
use self::ranked::{Held, Place, Ranked};
pub use self::send::{SendError, Sent, send_all, send_while};
use crate::batch::{Batch, Encoding};
use crate::item::ATTRIBUTES;
use crate::item::decode::{Fields, Malformed, Scalar};
use crate::message::{Packed, Packer, TooLong};
use crate::reject::{Reason, Reject, RejectedItem};
use crate::sink::{Sink, SinkError};
use crate::table::Ranking;

/// Bodies of each kind that a ranking lists.
pub const RANKED_BODIES: NonZeroUsize = NonZeroUsize::new(5_000).expect("it is not 0");

/// Messages that are packed and wait to be sent, about 1 MiB.
pub const MESSAGES_WAITING: usize = 16;

/// The longest item, in bytes: whatever its texts have to be escaped to, it fits a message. DynamoDB bills an item
/// by the kilobyte, and the catalogue's are below one.
const MAX_ITEM_BYTES: usize = 24 << 10;

/// The magnitudes of DynamoDB's numbers but for 0: 1e-130 to 9.99…e125 (Amazon DynamoDB Developer Guide, "Supported
/// data types").
const MIN_MAGNITUDE: f64 = 1e-130;
const MAX_MAGNITUDE: f64 = 1e126;

/// Packs items into messages and hands them to a bounded channel, which it waits for: it is not for async code.
#[derive(Debug)]
pub struct MessageSink {
    out: Out,
    keys: Keys,
    ranked: Ranked,
    roles: [Role; ATTRIBUTES.len()],
    left_out: Vec<LeftOut>,
}

/// What a sink has packed and handed over.
#[derive(Debug)]
pub struct Packing {
    /// Messages, with the numbers from 0 on.
    pub messages: u64,
    /// Items in them.
    pub items: u64,
    /// Items that are in none, in the order of their rows.
    pub left_out: Vec<LeftOut>,
}

/// An item that is rejected after all: it was valued and counted as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its kind.
    pub kind: Option<String>,
    /// Why, and where it stood.
    pub reject: Reject,
}

/// Why a sink does not go on.
#[derive(Debug, thiserror::Error)]
enum PackError {
    #[error("row {row} is not an item: {} at byte {}", fault.problem, fault.byte)]
    Malformed { row: u64, fault: Malformed },
    #[error("row {row} has no designation")]
    NoDesignation { row: u64 },
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error("nobody takes the messages any more")]
    Closed,
}

/// What an attribute is to the sink.
#[derive(Debug, Clone, Copy)]
enum Role {
    Designation,
    FullName,
    Kind,
    /// The figure of the ranking at this place in [`Ranking::ALL`].
    Ranked(usize),
    Other,
}

impl Role {
    fn of(name: &str) -> Self {
        let ranking = |ranking: &Ranking| ranking.attribute() == name;
        match name {
            "designation" => Role::Designation,
            "full_name" => Role::FullName,
            "kind" => Role::Kind,
            _ => match Ranking::ALL.iter().position(ranking) {
                Some(place) => Role::Ranked(place),
                None => Role::Other,
            },
        }
    }
}

/// What the sink has to know of an item.
#[derive(Default)]
struct Known<'a> {
    designation: Cow<'a, str>,
    full_name: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    place: Place,
    /// The first figure that DynamoDB does not hold: its attribute and its text.
    out_of_range: Option<(usize, &'a str)>,
}

impl MessageSink {
    /// Packs the items of `run`, with the best `max_ranked` of each kind and ranking marked, for whoever has the
    /// other end of `messages`.
    #[must_use]
    pub fn new(run: &str, max_ranked: NonZeroUsize, messages: mpsc::Sender<Packed>) -> Self {
        MessageSink {
            out: Out {
                packer: Packer::new(run),
                messages,
                num_messages: 0,
                num_items: 0,
            },
            keys: Keys::default(),
            ranked: Ranked::new(max_ranked),
            roles: std::array::from_fn(|index| Role::of(ATTRIBUTES[index].name)),
            left_out: Vec::new(),
        }
    }

    /// Packs what was held back, and hands over the last message.
    ///
    /// # Errors
    /// [`SinkError`] where nobody takes the messages any more.
    ///
    /// # Panics
    /// If it is called from async code.
    pub fn finish(mut self) -> Result<Packing, SinkError> {
        self.release_all().map_err(SinkError::new)?;
        let last = self.out.packer.flush();
        self.out.hand_over(last).map_err(SinkError::new)?;
        Ok(Packing {
            messages: self.out.num_messages,
            items: self.out.num_items,
            left_out: self.left_out,
        })
    }

    fn release_all(&mut self) -> Result<(), PackError> {
        let mut item = String::new();
        for Held { line, rankings, .. } in self.ranked.take_all() {
            item.clear();
            let is_marked = |place: &usize| rankings & (1 << place) != 0;
            let places = (0..Ranking::ALL.len()).filter(is_marked);
            top::append(&line, places.map(|place| Ranking::ALL[place]), &mut item);
            self.out.add(&item)?;
        }
        Ok(())
    }

    fn take(&mut self, row: u64, line: &str) -> Result<(), PackError> {
        let known = self.read(row, line)?;
        let item = RejectedItem {
            row,
            kind: known.kind.as_deref(),
            designation: &known.designation,
            full_name: known.full_name.as_deref(),
        };
        let reject = if let Some(first_row) = self.keys.add(&known.designation, row) {
            item.duplicate(first_row)
        } else if let Some((index, text)) = known.out_of_range {
            let name = ATTRIBUTES[index].name;
            let message = format!("{name} {text} is beyond the numbers of DynamoDB");
            item.reject(Reason::OutOfRange, Some(name), message)
        } else if line.len() > MAX_ITEM_BYTES {
            let message = format!("an item of {} bytes is too long for a message", line.len());
            item.reject(Reason::TextTooLong, None, message)
        } else {
            return match self.ranked.rankings(&known.place, &known.designation) {
                0 => self.out.add(line),
                rankings => self.hold(row, line, &known, rankings),
            };
        };
        let kind = known.kind.as_deref().map(str::to_owned);
        self.left_out.push(LeftOut { kind, reject });
        Ok(())
    }

    /// Holds a body back, and packs those that it displaces from their last ranking.
    #[inline(never)]
    fn hold(
        &mut self,
        row: u64,
        line: &str,
        known: &Known<'_>,
        rankings: u8,
    ) -> Result<(), PackError> {
        let MessageSink { ranked, out, .. } = self;
        let held = ranked.hold(row, line, rankings);
        for ranking in 0..Ranking::ALL.len() {
            if rankings & (1 << ranking) != 0
                && let Some(displaced) =
                    ranked.enter(held, ranking, &known.place, &known.designation)
            {
                out.add(displaced)?;
            }
        }
        Ok(())
    }

    fn read<'l>(&self, row: u64, line: &'l str) -> Result<Known<'l>, PackError> {
        let malformed = |fault| PackError::Malformed { row, fault };
        let mut known = Known::default();
        let mut fields = Fields::of_text(line).map_err(malformed)?;
        while let Some(index) = fields.next_attribute().map_err(malformed)? {
            let value = match self.roles[index] {
                // The table holds every figure that is written without an exponent.
                Role::Other => fields.pass_value(index).map_err(malformed)?,
                _ => Some(fields.read_value(index).map_err(malformed)?),
            };
            let figure = match value {
                Some(Scalar::Text(text)) => {
                    match self.roles[index] {
                        Role::Designation => known.designation = text,
                        Role::FullName => known.full_name = Some(text),
                        Role::Kind => known.kind = Some(text),
                        Role::Ranked(_) | Role::Other => {}
                    }
                    continue;
                }
                Some(Scalar::Figure(figure)) => figure,
                Some(Scalar::Whole(whole)) => whole as f64,
                Some(Scalar::Flag(_)) | None => continue,
            };
            if let Role::Ranked(ranking) = self.roles[index] {
                known.place.set(ranking, figure);
            }
            let is_held = (MIN_MAGNITUDE..MAX_MAGNITUDE).contains(&figure.abs())
                || (figure == 0.0 && is_zero(fields.value()));
            if !is_held && known.out_of_range.is_none() {
                known.out_of_range = Some((index, fields.value()));
            }
        }
        if known.designation.is_empty() {
            return Err(PackError::NoDesignation { row });
        }
        known.place.set_kind(known.kind.as_deref());
        Ok(known)
    }
}

/// Whether a number's text is that of zero, and not of one too small for a double.
fn is_zero(text: &str) -> bool {
    let mut digits = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    digits.all(|byte| !matches!(byte, b'1'..=b'9'))
}

/// Where items go: into messages, and those to the sender.
#[derive(Debug)]
struct Out {
    packer: Packer,
    messages: mpsc::Sender<Packed>,
    num_messages: u64,
    num_items: u64,
}

impl Out {
    #[inline]
    fn add(&mut self, item: &str) -> Result<(), PackError> {
        self.num_items += 1;
        let full = self.packer.add(item)?;
        self.hand_over(full)
    }

    #[inline]
    fn hand_over(&mut self, packed: Option<Packed>) -> Result<(), PackError> {
        let Some(packed) = packed else {
            return Ok(());
        };
        self.num_messages += 1;
        let sent = self.messages.blocking_send(packed);
        sent.map_err(|_| PackError::Closed)
    }
}

impl Sink for MessageSink {
    fn encoding(&self) -> Encoding {
        Encoding::Json
    }

    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        for (row, line) in batch.text_items() {
            self.take(row, line).map_err(SinkError::new)?;
        }
        Ok(())
    }
}
