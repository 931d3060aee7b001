//! Settings, from the function's environment. Each function reads those that it needs; what is wrong is said with
//! the variable's name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;

use engine::sources::{Upstreams, address};
use url::Url;

use crate::failure::{Failure, Name};

/// The variables of the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    variables: BTreeMap<String, String>,
}

impl Settings {
    /// Those of the process.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    /// A variable that is set to something.
    ///
    /// # Errors
    /// [`Name::SettingsInvalid`] where it is not.
    pub fn required(&self, name: &str) -> Result<String, Failure> {
        self.get(name).map(str::to_owned).ok_or_else(|| {
            Failure::new(
                Name::SettingsInvalid,
                format!("the environment variable {name} is not set"),
            )
        })
    }

    /// A variable's value, or `default` where it is not set.
    ///
    /// # Errors
    /// [`Name::SettingsInvalid`] where its value cannot be read.
    pub fn or<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> Result<T, Failure> {
        match self.get(name) {
            Some(text) => parse(name, text),
            None => Ok(default),
        }
    }

    /// A share in per cent, 0 to 100, or `default` where it is not set.
    ///
    /// # Errors
    /// [`Name::SettingsInvalid`] where it is none.
    pub fn percent(&self, name: &str, default: f64) -> Result<f64, Failure> {
        let percent = self.or(name, default)?;
        if (0.0..=100.0).contains(&percent) {
            return Ok(percent);
        }
        Err(unusable(name, &percent, "0 to 100 is wanted"))
    }

    /// The address that a variable overrides, if it is set.
    ///
    /// # Errors
    /// [`Name::SettingsInvalid`] where it is no web address: a function has no files to read.
    pub fn address(&self, name: &str) -> Result<Option<Url>, Failure> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let url: Url = parse(name, text)?;
        match url.scheme() {
            "http" | "https" => Ok(Some(url)),
            _ => Err(unusable(
                name,
                &text,
                "an address of http or https is wanted",
            )),
        }
    }

    /// A variable that is set to nothing is not set: templates leave such behind.
    fn get(&self, name: &str) -> Option<&str> {
        let text = self.variables.get(name)?;
        (!text.is_empty()).then_some(text)
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Settings {
            variables: variables.into_iter().collect(),
        }
    }
}

/// The upstreams where the documentation has them.
pub(crate) fn upstreams() -> Upstreams {
    let base = |text: &str| Url::parse(text).expect("an address of ours is one");
    Upstreams {
        jpl_api: base(address::JPL_API),
        jpl_echo: base(address::JPL_ECHO),
        wayback: base(address::WAYBACK),
        exoplanet_archive: base(address::EXOPLANET_ARCHIVE),
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Failure> {
    text.parse()
        .map_err(|error| unusable(name, &text, &format!("{error}")))
}

fn unusable(name: &str, value: &dyn Display, why: &str) -> Failure {
    Failure::new(
        Name::SettingsInvalid,
        format!("the environment variable {name} cannot be used: {value}: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &'static str, value: &'static str) -> Settings {
        Settings::from_iter([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_variable_that_is_missing_or_empty_is_named() {
        for settings in [settings("BUCKET", ""), settings("OTHER", "x")] {
            let failure = settings.required("BUCKET").unwrap_err();
            assert_eq!(failure.name, Name::SettingsInvalid);
            assert!(failure.message.contains("BUCKET"), "{failure}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_is_told_with_its_variable() {
        let percent =
            |value| settings("MAX_SHRINK_PERCENT", value).percent("MAX_SHRINK_PERCENT", 5.0);
        assert_eq!(percent("2.5"), Ok(2.5));
        for value in ["101", "-1", "NaN", "many"] {
            let failure = percent(value).unwrap_err();
            assert!(failure.message.contains("MAX_SHRINK_PERCENT"), "{failure}");
            assert!(failure.message.contains(value), "{failure}");
        }
    }

    #[test]
    fn a_source_is_a_web_address_and_nothing_else() {
        let address = |value| settings("NHATS_URL", value).address("NHATS_URL");
        assert!(address("https://example.org/nhats").unwrap().is_some());
        assert_eq!(address(""), Ok(None));
        for value in ["/etc/passwd", "file:///etc/passwd", "nhats.json"] {
            let failure = address(value).unwrap_err();
            assert!(failure.message.contains("NHATS_URL"), "{failure}");
        }
    }
}
