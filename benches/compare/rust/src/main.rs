//! The comparison's own programs in one binary: the job as a Rust user would write it, the decoders alone, the
//! check that two outputs agree, and the launcher that measures a process.

mod agree;
mod compress;
mod decode;
mod item;
mod launch;
mod lookups;
mod model;
mod value;

use std::path::Path;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: comparison value CATALOGUE LOOKUPS OUTPUT
       comparison compress gzip|zstd|zstd-frames FROM TO
       comparison decode gzip|zstd FILE
       comparison agree OURS THEIRS SLACK
       comparison launch RESULT COMMAND [ARGUMENT…]";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["value", catalogue, lookups, output] => {
            value::run(Path::new(catalogue), Path::new(lookups), Path::new(output))
        }
        ["compress", format, from, to] => compress::run(format, Path::new(from), Path::new(to)),
        ["decode", format, file] => decode::run(format, Path::new(file)),
        ["agree", ours, theirs, slack] => {
            let slack = slack.parse().context(USAGE)?;
            agree::run(Path::new(ours), Path::new(theirs), slack)
        }
        ["launch", result, command, ref arguments @ ..] => {
            launch::run(Path::new(result), command, arguments)
        }
        _ => bail!(USAGE),
    }
}
