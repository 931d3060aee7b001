//! The item, as it is written and as it is read back to be compared.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

type Text<'a> = Option<Cow<'a, str>>;

macro_rules! item {
    (texts[$($text:ident)*] flags[$($flag:ident)*] figures[$($figure:ident)*]) => {
        /// One body. What has no value is left out.
        #[derive(Debug, Default, Serialize, Deserialize)]
        pub struct Item<'a> {
            $(#[serde(borrow, default, skip_serializing_if = "Option::is_none")] pub $text: Text<'a>,)*
            $(#[serde(default, skip_serializing_if = "Option::is_none")] pub $flag: Option<bool>,)*
            $(#[serde(default, skip_serializing_if = "Option::is_none")] pub $figure: Option<f64>,)*
        }

        impl Item<'_> {
            /// The first attribute in which `other` differs, where figures may differ by `tolerance`, relative,
            /// and by `slack`, absolute.
            pub fn difference(&self, other: &Item, tolerance: f64, slack: f64) -> Option<&'static str> {
                $(if self.$text != other.$text { return Some(stringify!($text)); })*
                $(if self.$flag != other.$flag { return Some(stringify!($flag)); })*
                $(if !close(self.$figure, other.$figure, tolerance, slack) { return Some(stringify!($figure)); })*
                None
            }

            pub fn into_owned(self) -> Item<'static> {
                Item {
                    $($text: self.$text.map(|text| Cow::Owned(text.into_owned())),)*
                    $($flag: self.$flag,)*
                    $($figure: self.$figure,)*
                }
            }
        }
    };
}

item! {
    texts[designation full_name name kind class spec spec_source diameter_source mass_source dv_source condition_code]
    flags[neo pha]
    figures[spkid h albedo diameter_km gm mass_kg dv_kms a e i om w ma epoch q ad per moid
        price saved closeness profit score]
}

fn close(one: Option<f64>, other: Option<f64>, tolerance: f64, slack: f64) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one == other || (one - other).abs() <= slack + tolerance * one.abs().max(other.abs())
        }
        (one, other) => one.is_none() && other.is_none(),
    }
}
