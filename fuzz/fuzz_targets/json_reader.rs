//! A catalogue as the API's document. Of the first byte the highest bit makes rows of the bytes, the others
//! say how large the second reading's chunks are.

#![no_main]

use engine::catalogue::find_fields;
use libfuzzer_sys::fuzz_target;
use prospector_fuzz::check_catalogue;

const HEAD: &[u8] = br#"{"fields":["pdes","full_name","H","GM","e","a"],"data":["#;
const TAIL: &[u8] = br#"],"count":1}"#;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let chunk_bytes = usize::from(first & 0x7f) + 1;
    if first & 0x80 != 0 {
        return check_catalogue(&[HEAD, bytes, TAIL].concat(), chunk_bytes, None);
    }
    check_catalogue(bytes, chunk_bytes, None);
    if let Ok(fields) = find_fields(bytes) {
        check_catalogue(bytes, chunk_bytes, Some(&fields));
    }
});
