//! Sources: who is asked for what. Addresses are those of the upstreams' documentation; each base can be
//! another, such as a mirror or a test's own server.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use crate::catalogue::COLUMN_NAMES;

/// The planets' columns that are read, of `pscomppars` (NASA Exoplanet Archive, "Planetary Systems Composite
/// Parameters: table definitions").
const PLANET_COLUMNS: &str =
    "pl_name,pl_orbsmax,pl_orbeccen,pl_orbincl,pl_orblper,pl_orbper,pl_bmasse,pl_bmassprov";

/// Where a document is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is downloaded.
    Url(Url),
    /// It is read from a file.
    File(PathBuf),
}

impl Source {
    /// Where it is, for people: an address without its query, or a path.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Source::Url(url) => {
                let mut url = url.clone();
                url.set_query(None);
                url.into()
            }
            Source::File(path) => path.display().to_string(),
        }
    }

    /// Which document it is, wherever it is served: an address' path, or a file's.
    #[must_use]
    pub(crate) fn document(&self) -> String {
        match self {
            Source::Url(url) => url.path().to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }
}

impl From<&str> for Source {
    /// A text that begins like a web address is one; all else is a path.
    fn from(text: &str) -> Self {
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Source::Url(url),
            _ => Source::File(PathBuf::from(text)),
        }
    }
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

/// The bases of the upstreams' addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstreams {
    /// JPL's Solar System Dynamics API: the catalogue and NHATS.
    pub jpl_api: Url,
    /// The former home of Benner's delta-v table.
    pub jpl_echo: Url,
    /// The Internet Archive's Wayback Machine, which has the table.
    pub wayback: Url,
    /// The NASA Exoplanet Archive.
    pub exoplanet_archive: Url,
}

/// Addresses of the upstreams' own.
pub mod address {
    /// JPL, "SBDB Query API" and "NHATS API".
    pub const JPL_API: &str = "https://ssd-api.jpl.nasa.gov";
    /// L. Benner's page was here until 2021.
    pub const JPL_ECHO: &str = "https://echo.jpl.nasa.gov";
    /// The Internet Archive.
    pub const WAYBACK: &str = "https://web.archive.org";
    /// NASA Exoplanet Archive, "TAP service".
    pub const EXOPLANET_ARCHIVE: &str = "https://exoplanetarchive.ipac.caltech.edu";
}

/// Benner's page, below its host.
const DELTA_V_PATH: &str = "~lance/delta_v/delta_v.rendezvous.html";

impl Upstreams {
    /// The SBDB Query API's whole catalogue: the columns that the item and the model need, in full precision.
    #[must_use]
    pub fn asteroids(&self) -> Url {
        let mut url = at(&self.jpl_api, "sbdb_query.api");
        // With plain commas, as in JPL's own examples.
        let fields = COLUMN_NAMES.join(",");
        url.set_query(Some(&format!("fields={fields}&full-prec=true")));
        url
    }

    /// The same query, of its first `num_rows` rows alone.
    #[must_use]
    pub fn asteroids_sample(&self, num_rows: u32) -> Url {
        let mut url = self.asteroids();
        let query = url.query().unwrap_or_default();
        url.set_query(Some(&format!("{query}&limit={num_rows}")));
        url
    }

    /// The places of the published delta-v table, in the order in which they are tried.
    #[must_use]
    pub fn delta_v(&self) -> [Url; 2] {
        // The copy is of the address, wherever the archive itself is.
        let copy = format!("web/20210202035814/{}/{DELTA_V_PATH}", address::JPL_ECHO);
        [at(&self.jpl_echo, DELTA_V_PATH), at(&self.wayback, &copy)]
    }

    /// JPL's NHATS table.
    #[must_use]
    pub fn nhats(&self) -> Url {
        at(&self.jpl_api, "nhats.api")
    }

    /// All confirmed exoplanets, one row each.
    #[must_use]
    pub fn exoplanets(&self) -> Url {
        self.exoplanet_query(&format!("select {PLANET_COLUMNS} from pscomppars"))
    }

    /// The first `num_rows` of them.
    #[must_use]
    pub fn exoplanets_sample(&self, num_rows: u32) -> Url {
        self.exoplanet_query(&format!(
            "select top {num_rows} {PLANET_COLUMNS} from pscomppars"
        ))
    }

    fn exoplanet_query(&self, query: &str) -> Url {
        let mut url = at(&self.exoplanet_archive, "TAP/sync");
        url.query_pairs_mut()
            .append_pair("query", query)
            .append_pair("format", "csv");
        url
    }
}

/// An address below a base.
fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// The columns that a query of the SBDB Query API asks for, and whether it limits the rows.
#[must_use]
pub(crate) fn asked_of_sbdb(url: &Url) -> (Option<Vec<String>>, bool) {
    let value = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let fields = value("fields").map(|fields| fields.split(',').map(str::to_owned).collect());
    (fields, value("limit").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams() -> Upstreams {
        let base = |text: &str| Url::parse(text).unwrap();
        Upstreams {
            jpl_api: base(address::JPL_API),
            jpl_echo: base(address::JPL_ECHO),
            wayback: base(address::WAYBACK),
            exoplanet_archive: base("http://localhost:80/mirror/"),
        }
    }

    #[test]
    fn addresses_are_those_of_the_documentation() {
        let url = upstreams().asteroids();
        assert!(
            url.as_str()
                .starts_with("https://ssd-api.jpl.nasa.gov/sbdb_query.api?fields=")
        );
        let (fields, is_limited) = asked_of_sbdb(&url);
        assert_eq!(fields.unwrap(), COLUMN_NAMES);
        assert!(!is_limited);
        assert!(asked_of_sbdb(&upstreams().asteroids_sample(10)).1);
        let [original, copy] = upstreams().delta_v().map(String::from);
        assert!(copy.ends_with(&format!("web/20210202035814/{original}")));
        assert_eq!(
            upstreams().exoplanets_sample(5).as_str(),
            "http://localhost/mirror/TAP/sync?query=select+top+5+pl_name%2Cpl_orbsmax%2Cpl_orbeccen%2C\
             pl_orbincl%2Cpl_orblper%2Cpl_orbper%2Cpl_bmasse%2Cpl_bmassprov+from+pscomppars&format=csv"
        );
    }

    #[test]
    fn a_source_is_an_address_or_a_path() {
        let source = |text: &str| text.parse::<Source>().unwrap();
        assert!(matches!(
            source("https://example.org/a.csv"),
            Source::Url(_)
        ));
        for path in [
            "sbdb.csv",
            "C:\\sbdb.csv",
            "file:///etc/passwd",
            "./http:/x",
        ] {
            assert_eq!(source(path), Source::File(path.into()));
        }
    }
}
