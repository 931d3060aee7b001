//! A catalogue as CSV, plain or compressed. Of the first byte the highest bit puts a header before the
//! bytes, the others say how large the second reading's chunks are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use prospector_fuzz::check_catalogue;

const HEADER: &[u8] = b"pdes,full_name,spkid,name,neo,H,diameter,GM,e,a,q,i\n";

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let header = if first & 0x80 == 0 { b"" } else { HEADER };
    let chunk_bytes = usize::from(first & 0x7f) + 1;
    check_catalogue(&[header, bytes].concat(), chunk_bytes, None);
});
