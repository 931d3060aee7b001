//! Invented names, some with apostrophes and spaces as real ones have.

use super::class::Class;
use super::identity::CometLabel;
use super::random::Random;

const SYLLABLES: [&[u8]; 32] = [
    b"ba", b"cel", b"dor", b"e", b"fi", b"gal", b"hu", b"i", b"jen", b"ka", b"lu", b"mir", b"na",
    b"o", b"pel", b"qui", b"ra", b"sten", b"ti", b"u", b"vel", b"wan", b"xi", b"yo", b"zer",
    b"than", b"lio", b"mar", b"chi", b"gra", b"son", b"ny",
];

const ENDINGS: [&[u8]; 8] = [b"a", b"ia", b"us", b"is", b"", b"na", b"ella", b"ov"];

/// A name for an asteroid: some have apostrophes or two words, as `d'Arrest` and `G!kun||'homdima`
/// do.
pub(super) fn asteroid_name(random: &mut Random) -> Vec<u8> {
    let mut name = Vec::with_capacity(24);
    match random.below(60) {
        0 => name.extend_from_slice(b"'"),
        1 => name.extend_from_slice(b"d'"),
        2 => name.extend_from_slice(b"G!"),
        3 => name.extend_from_slice(b"van "),
        _ => {}
    }
    push_word(random, &mut name);
    if random.below(60) == 0 {
        name.push(random.pick(b"`'-"));
        name.extend_from_slice(b"olo");
    }
    name
}

/// A name for a comet: a survey's, or its discoverers'.
pub(super) fn comet_name(random: &mut Random, label: &CometLabel, class: Class) -> Vec<u8> {
    if matches!(label, CometLabel::Fragment { .. }) {
        return b"Schwassmann-Wachmann 3".to_vec();
    }
    // Nearly all comets with parabolic orbits are sungrazers in the pictures of one spacecraft.
    if class == Class::Parabolic {
        return b"SOHO".to_vec();
    }
    let surveys: [&[u8]; 6] = [
        b"PANSTARRS",
        b"ATLAS",
        b"LINEAR",
        b"Lemmon",
        b"NEAT",
        b"Catalina",
    ];
    if random.below(4) > 0 {
        return random.pick(&surveys).to_vec();
    }
    let mut name = Vec::with_capacity(32);
    push_word(random, &mut name);
    if random.below(2) == 0 {
        name.push(b'-');
        push_word(random, &mut name);
    }
    name
}

/// Appends one capitalised word of two to four syllables.
fn push_word(random: &mut Random, name: &mut Vec<u8>) {
    let start = name.len();
    for _ in 0..random.integer(1, 3) {
        name.extend_from_slice(random.pick(&SYLLABLES));
    }
    name.extend_from_slice(random.pick(&SYLLABLES));
    name.extend_from_slice(random.pick(&ENDINGS));
    name[start].make_ascii_uppercase();
}
