//! The command line: what can be asked for, in the words of `--help`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::inputs::Which;
use engine::sources::{Source, Upstreams, address};
use engine::stages::MAX_SHRINK_PERCENT;
use engine::store::StoreLocation;
use engine::upstream::ClientOptions;
use url::Url;

/// The program's arguments.
#[derive(Debug, Parser)]
#[command(
    name = "prospector",
    version,
    about = "What every small body is worth and how hard it is to reach",
    long_about = "Takes JPL's catalogue of small bodies, joins it with delta-v, masses and exoplanets, \
        computes what each body is worth and how hard it is to reach, and loads a table that can be \
        queried.",
    after_help = "Examples:\n  \
        prospector run                            download JPL's catalogue, value it, replace the database\n  \
        prospector run --inputs latest            the same again on the inputs of the last time, offline\n  \
        prospector run --recorded                 the whole job on the recorded inputs\n  \
        prospector top --by profit                what is worth most, cheapest to reach\n  \
        prospector explain Bennu                  how its value comes about, step by step\n  \
        prospector value sbdb.csv.gz > items.ndjson   value a catalogue that you have\n\n\
        Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole job: read the inputs, merge, value, and replace the database
    Run(Box<RunArgs>),
    /// Value a catalogue: JPL's JSON document or CSV export, plain, gzip or zstd
    Value(ValueArgs),
    /// The published delta-v table with the computed value beside each, or one orbit's delta-v
    DeltaV(DeltaVArgs),
    /// The best bodies by a ranking
    Top(TopArgs),
    /// All that is known of a body
    Show(ShowArgs),
    /// Every step of a body's value: inputs, where each came from, formula, result
    Explain(ExplainArgs),
    /// Bodies whose name or designation begins with a prefix
    Search(SearchArgs),
    /// The input sets that are kept: list, verify, prune
    Inputs(InputsArgs),
    /// Save a small sample of each live source in its raw form
    Record(RecordArgs),
    /// What a file is: source, format, compression, columns, rows, unusable columns
    Inspect(InspectArgs),
    /// Make a synthetic catalogue in JPL's formats, for benchmarks
    Generate(GenerateArgs),
}

/// Where inputs, reports and, unless told otherwise, the database are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreArgs {
    /// The store of inputs and reports: a folder, or s3://bucket/prefix
    #[arg(
        long,
        value_name = "DIR|s3://…",
        env = "PROSPECTOR_STORE",
        default_value = "prospector-store"
    )]
    pub(crate) store: StoreLocation,
}

/// Where results are kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct DatabaseArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The database [default: bodies.sqlite in the store's folder, or here where the store is on S3]
    #[arg(long, value_name = "FILE", env = "PROSPECTOR_DATABASE")]
    database: Option<PathBuf>,
}

impl DatabaseArgs {
    /// The database's path.
    pub(crate) fn database(&self) -> PathBuf {
        const NAME: &str = "bodies.sqlite";
        match (&self.database, &self.store.store) {
            (Some(path), _) => path.clone(),
            (None, StoreLocation::Directory(folder)) => folder.join(NAME),
            (None, StoreLocation::S3 { .. }) => PathBuf::from(NAME),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    prospector run                                  download everything, value it, replace the database\n  \
    prospector run --inputs latest                  again, with the inputs of the last time\n  \
    prospector run --inputs 2026-11-25              with those of that day\n  \
    prospector run --store s3://bucket/prospector   keep inputs and reports on S3\n  \
    prospector run --asteroids sbdb.csv.gz          with a catalogue that you have\n  \
    prospector run --recorded                       with the small recorded inputs")]
pub(crate) struct RunArgs {
    /// Use the small recorded inputs that come with the program
    #[arg(long, conflicts_with = "inputs")]
    pub(crate) recorded: bool,
    /// fresh (download), latest, or the name of an input set, which its date is enough for
    #[arg(long, value_name = "fresh|latest|SET", default_value = "fresh")]
    pub(crate) inputs: Which,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Threads that value rows [default: the machine's]
    #[arg(long, value_name = "N", value_parser = num_threads)]
    pub(crate) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) fresh: FreshArgs,
    #[command(flatten)]
    pub(crate) upstream: UpstreamArgs,
}

/// What fresh inputs are made of.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fresh inputs")]
pub(crate) struct FreshArgs {
    /// The catalogue [default: all of JPL's, by its SBDB Query API]
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) asteroids: Option<Source>,
    /// Benner's delta-v table; tried before its old address and the Internet Archive's copy. Repeatable
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) delta_v: Vec<Source>,
    /// The NHATS table [default: JPL's]
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) nhats: Option<Source>,
    /// The exoplanets [default: all confirmed ones, from the NASA Exoplanet Archive]
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) exoplanets: Option<Source>,
    /// Masses, a newer list [default: the list that comes with the program]
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) masses: Option<Source>,
    /// The least rows of a catalogue that is taken [default: 1000000 of JPL's, else 1]
    #[arg(long, value_name = "N")]
    pub(crate) min_rows: Option<u64>,
    /// The most that a catalogue may have shrunk since the last input set, in per cent of its rows
    #[arg(long, value_name = "PERCENT", default_value_t = MAX_SHRINK_PERCENT, value_parser = percent)]
    pub(crate) max_shrink: f64,
}

impl FreshArgs {
    /// Whether any source is named.
    pub(crate) fn names_a_source(&self) -> bool {
        let others = [&self.asteroids, &self.nhats, &self.exoplanets, &self.masses];
        !self.delta_v.is_empty() || others.iter().any(|source| source.is_some())
    }
}

/// Where the upstreams are and how patient we are with them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Upstreams")]
pub(crate) struct UpstreamArgs {
    /// JPL's API: the catalogue and NHATS
    #[arg(long, value_name = "URL", env = "PROSPECTOR_JPL_API", default_value = address::JPL_API)]
    jpl_api: Url,
    /// The former home of the delta-v table
    #[arg(long, value_name = "URL", env = "PROSPECTOR_JPL_ECHO", default_value = address::JPL_ECHO)]
    jpl_echo: Url,
    /// The Internet Archive, which has a copy of it
    #[arg(long, value_name = "URL", env = "PROSPECTOR_WAYBACK", default_value = address::WAYBACK)]
    wayback: Url,
    /// The NASA Exoplanet Archive
    #[arg(long, value_name = "URL", env = "PROSPECTOR_EXOPLANET_ARCHIVE", default_value = address::EXOPLANET_ARCHIVE)]
    exoplanet_archive: Url,
    /// The longest time for a connection to come about, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    connect_timeout: Duration,
    /// The longest silence of a server, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    read_timeout: Duration,
    /// How often a download is tried
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
    /// The delay before the second attempt, in seconds; it doubles from one to the next
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    retry_delay: Duration,
}

impl UpstreamArgs {
    pub(crate) fn upstreams(&self) -> Upstreams {
        Upstreams {
            jpl_api: self.jpl_api.clone(),
            jpl_echo: self.jpl_echo.clone(),
            wayback: self.wayback.clone(),
            exoplanet_archive: self.exoplanet_archive.clone(),
        }
    }

    pub(crate) fn client_options(&self) -> ClientOptions {
        ClientOptions {
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            max_attempts: self.attempts,
            first_delay: self.retry_delay,
            ..ClientOptions::default()
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    prospector inputs                   the sets: date, rows, size, sources\n  \
    prospector inputs verify latest     is everything as it was downloaded?\n  \
    prospector inputs prune --keep 4    delete all but the four latest")]
pub(crate) struct InputsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<InputsCommand>,
    /// As JSON, a manifest a line
    #[arg(long)]
    pub(crate) json: bool,
    /// The store: a folder, or s3://bucket/prefix
    #[arg(
        long,
        global = true,
        value_name = "DIR|s3://…",
        env = "PROSPECTOR_STORE",
        default_value = "prospector-store"
    )]
    pub(crate) store: StoreLocation,
}

/// What is to be done with the input sets.
#[derive(Debug, Subcommand)]
pub(crate) enum InputsCommand {
    /// Compare the objects of a set with the sizes and hashes in its manifest
    Verify {
        /// latest, or the name of a set, which its date is enough for
        #[arg(value_name = "latest|SET")]
        set: Which,
    },
    /// Delete old sets, and what attempts that died left behind
    Prune {
        /// The number of sets that stay, the latest ones
        #[arg(long, value_name = "N")]
        keep: usize,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  prospector record --to samples")]
pub(crate) struct RecordArgs {
    /// The folder that the samples go to; files of that name are replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) upstream: UpstreamArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    prospector value sbdb.json.zst --output bodies.ndjson --rejects rejects.jsonl\n  \
    curl -s URL | prospector value - --delta-v delta_v.html | jq .price\n  \
    prospector value sbdb.csv --format sqlite --output bodies.sqlite")]
pub(crate) struct ValueArgs {
    /// The catalogue; - for standard input
    #[arg(value_name = "ASTEROIDS", required_unless_present = "inputs")]
    asteroids: Option<PathBuf>,
    /// Value an input set of the store instead: latest, or its name, which its date is enough for
    #[arg(long, value_name = "latest|SET", conflicts_with_all = ["asteroids", "delta_v", "nhats", "masses", "exoplanets"])]
    pub(crate) inputs: Option<Which>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The published delta-v table: HTML, text, or delta-v.json [default: every value is computed]
    #[arg(long, value_name = "FILE")]
    pub(crate) delta_v: Option<PathBuf>,
    /// JPL's NHATS table: the API's JSON document, or nhats.json [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) nhats: Option<PathBuf>,
    /// Mass estimates, or masses.json [default: the list that comes with the program]
    #[arg(long, value_name = "FILE")]
    pub(crate) masses: Option<PathBuf>,
    /// The NASA Exoplanet Archive's CSV (pscomppars or KOI), or exoplanets.json [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) exoplanets: Option<PathBuf>,
    /// Take Kepler's candidates for planets too, not only the confirmed ones
    #[arg(long, requires = "exoplanets")]
    pub(crate) koi_candidates: bool,
    /// How the estimates of --masses are averaged; plain is Asterank's way
    #[arg(long, value_enum, default_value = "weighted", requires = "masses")]
    pub(crate) mass_average: MassAverage,
    /// How items are written [default: by the output's extension .csv, .sqlite or .db, else ndjson]
    #[arg(long, value_enum)]
    pub(crate) format: Option<OutputFormat>,
    /// Where items go; - for standard output
    #[arg(long, short, value_name = "FILE|-", default_value = "-")]
    pub(crate) output: PathBuf,
    /// Where rejected rows go, one JSON object a line [default: the first few are shown]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// The most rows that may be rejected, in per cent; with more, the run fails and no file is replaced
    #[arg(long, value_name = "PERCENT", default_value = "0.5", value_parser = percent)]
    pub(crate) max_rejects: f64,
    /// Threads that value rows [default: the machine's]
    #[arg(long, value_name = "N", value_parser = num_threads)]
    pub(crate) threads: Option<NonZeroUsize>,
}

impl ValueArgs {
    /// The catalogue's path; standard input where an input set is named in its place.
    pub(crate) fn asteroids(&self) -> &Path {
        self.asteroids.as_deref().unwrap_or(Path::new("-"))
    }

    /// The format that was asked for, or that the output's name shows.
    pub(crate) fn format(&self) -> OutputFormat {
        let extension = self
            .output
            .extension()
            .and_then(|extension| extension.to_str());
        self.format.unwrap_or(match extension {
            Some("csv") => OutputFormat::Csv,
            Some("sqlite" | "db") => OutputFormat::Sqlite,
            _ => OutputFormat::Ndjson,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MassAverage {
    Weighted,
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Ndjson,
    Csv,
    Sqlite,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    prospector delta-v delta_v.rendezvous.html > delta-v.json\n  \
    prospector delta-v 1.458,0.2227,10.83")]
pub(crate) struct DeltaVArgs {
    /// The table's file (- for standard input), or one orbit as semi-major axis in au, eccentricity,
    /// inclination in degrees
    #[arg(value_name = "FILE|A,E,I")]
    pub(crate) table_or_orbit: TableOrOrbit,
}

/// What `delta-v` is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TableOrOrbit {
    Table(PathBuf),
    Orbit { a: f64, e: f64, i: f64 },
}

impl FromStr for TableOrOrbit {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<f64>> = text
            .split(',')
            .map(|number| number.trim().parse().ok())
            .collect();
        Ok(match numbers.as_deref() {
            Some(&[a, e, i]) => Self::Orbit { a, e, i },
            _ => Self::Table(PathBuf::from(text)),
        })
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    prospector top --by profit --limit 20\n  \
    prospector top --by dv --class APO --json\n  \
    prospector top --by smallest --kind asteroid --spec M")]
pub(crate) struct TopArgs {
    /// price, profit, closeness and score: the highest; smallest, moid and dv: the lowest
    #[arg(long, value_name = "RANKING", value_parser = ["price", "profit", "closeness", "score", "smallest", "moid", "dv"])]
    pub(crate) by: String,
    /// How many
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Only this orbit class, such as AMO
    #[arg(long, value_name = "C")]
    pub(crate) class: Option<String>,
    /// Only this spectral type, such as Xk
    #[arg(long, value_name = "S")]
    pub(crate) spec: Option<String>,
    /// Only this kind; comets and exoplanets are left out unless asked for
    #[arg(long, value_name = "K", default_value = "asteroid", value_parser = ["asteroid", "comet", "exoplanet"])]
    pub(crate) kind: String,
    /// Items as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  prospector show Eros\n  prospector show 433\n  \
    prospector show \"2006 RH120\" --json"
)]
pub(crate) struct ShowArgs {
    /// Designation, number, name or SPK-ID
    pub(crate) body: String,
    /// The item as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  prospector explain Bennu")]
pub(crate) struct ExplainArgs {
    /// Designation, number, name or SPK-ID
    pub(crate) body: String,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  prospector search Apo\n  prospector search \"2006 R\"")]
pub(crate) struct SearchArgs {
    /// How the name or designation begins; upper or lower case
    pub(crate) prefix: String,
    /// How many at most
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Items as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  prospector inspect sbdb_query_results.csv.gz")]
pub(crate) struct InspectArgs {
    /// The file; - for standard input
    pub(crate) file: PathBuf,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    prospector generate --rows 1570000 --seed 1 --format csv --output sbdb.csv")]
pub(crate) struct GenerateArgs {
    /// Bodies
    #[arg(long, value_name = "N")]
    pub(crate) rows: u64,
    /// The same seed gives the same catalogue
    #[arg(long, value_name = "S", default_value = "1")]
    pub(crate) seed: u64,
    /// JPL's format: a CSV export with all columns, or the Query API's JSON document
    #[arg(long, value_enum, default_value = "csv")]
    pub(crate) format: CatalogueFormat,
    /// Where it goes; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CatalogueFormat {
    Csv,
    Json,
}

/// Far more threads than a machine has cores cost memory and bring nothing.
const MAX_THREADS: usize = 1_024;

fn num_threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse().ok().and_then(NonZeroUsize::new) {
        Some(threads) if threads.get() <= MAX_THREADS => Ok(threads),
        _ => Err(format!("a number from 1 to {MAX_THREADS} is wanted")),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse().map(Duration::try_from_secs_f64) {
        Ok(Ok(duration)) if !duration.is_zero() => Ok(duration),
        _ => Err("a number of seconds above 0 is wanted".to_owned()),
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a number from 0 to 100 is wanted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn three_numbers_are_an_orbit_and_all_else_a_file() {
        let orbit = TableOrOrbit::Orbit {
            a: 1.458,
            e: 0.2227,
            i: 10.83,
        };
        assert_eq!("1.458,0.2227, 10.83".parse(), Ok(orbit));
        assert_eq!(
            "1,2.html".parse(),
            Ok(TableOrOrbit::Table("1,2.html".into()))
        );
    }
}
