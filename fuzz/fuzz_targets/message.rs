//! What a function takes from a queue: a message and its items, an item by itself, or the question whether a run is
//! written.

#![no_main]

use engine::fuzz_support::{Decoded, decode, encode};
use engine::item::{ATTRIBUTES, Kind};
use engine::ledger::Done;
use engine::message::{MAX_BYTES, Message, Packer};
use engine::table::Value;
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let done = serde_json::from_str::<Done>(text);
    match Message::parse(text) {
        Ok(message) => {
            assert!(done.is_err(), "a message and a question at once");
            check_message(&message);
        }
        Err(_) => check_item(text),
    }
    if let Ok(done) = done {
        let again = serde_json::to_string(&done).expect("a question is written");
        assert_eq!(
            serde_json::from_str::<Done>(&again).expect("and read again"),
            done
        );
    }
});

/// Packed again, its items come out as they went in.
fn check_message(message: &Message<'_>) {
    let mut packer = Packer::new(&message.run);
    let mut packed = Vec::new();
    for item in &message.items {
        check_item(item.get());
        packed.extend(packer.add(item.get()).expect("it came in a message"));
    }
    packed.extend(packer.flush());
    let mut num_items = 0;
    for packed in &packed {
        assert!(packed.body.len() <= MAX_BYTES && packed.body.chars().all(is_legal));
        let again = Message::parse(&packed.body).expect("what was packed is a message");
        assert_eq!((&again.run, again.seq), (&message.run, packed.seq));
        for item in again.items {
            assert_eq!(item.get(), legal(message.items[num_items].get()));
            num_items += 1;
        }
    }
    assert_eq!(num_items, message.items.len());
}

/// Production 2 of XML 1.0, beside which JSON may have only two characters as they stand.
fn is_legal(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

fn legal(item: &str) -> String {
    item.replace('\u{fffe}', "\\ufffe")
        .replace('\u{ffff}', "\\uffff")
}

/// What is decoded is encoded to what decodes to the same, and is what another reader of JSON finds; what that reader
/// finds to be an item is decoded.
fn check_item(item: &str) {
    let json = match serde_json::from_str(item) {
        Ok(Json::Object(json)) => Some(json),
        _ => None,
    };
    if let Ok(decoded) = decode(item) {
        assert_eq!(decode(&encode(&decoded)).as_ref(), Ok(&decoded));
        if let Some(json) = &json {
            let num_values = decoded.body.iter().len() + usize::from(json.contains_key("top"));
            assert_eq!(json.len(), num_values);
            for (name, value) in json {
                assert!(is_same(&decoded, name, value), "{name}: {value}");
            }
        }
    }
    if let Some(json) = json.filter(|json| json.iter().all(|(name, value)| is_of(name, value))) {
        // Written again: what is there twice in the text is not in the object.
        let item = Json::Object(json).to_string();
        let problem = decode(&item).err();
        assert!(
            matches!(problem, None | Some("no whole number")),
            "{problem:?}: {item}"
        );
    }
}

fn is_same(decoded: &Decoded, name: &str, value: &Json) -> bool {
    match (decoded.body.get(name), value) {
        (Some(Value::Text(text)), Json::String(value)) => text == value,
        (Some(Value::Flag(flag)), Json::Bool(value)) => flag == value,
        (Some(Value::Figure(figure)), Json::Number(value)) => value.as_f64() == Some(*figure),
        (Some(Value::Whole(whole)), Json::Number(value)) => match value.as_i64() {
            Some(value) => *whole == value,
            None => value.as_f64() == Some(*whole as f64),
        },
        (None, Json::Array(names)) => {
            let rankings = decoded.rankings.iter().map(|ranking| ranking.name());
            name == "top" && rankings.eq(names.iter().filter_map(Json::as_str))
        }
        _ => false,
    }
}

/// Whether an attribute of an item has such values.
fn is_of(name: &str, value: &Json) -> bool {
    let kind = ATTRIBUTES.iter().find(|attribute| attribute.name == name);
    match kind.map(|attribute| attribute.kind) {
        Some(Kind::Text) => value.is_string(),
        Some(Kind::Figure) => value.is_number(),
        Some(Kind::Flag) => value.is_boolean(),
        None => false,
    }
}
