//! The decoders alone, as fast as they go: what no reader of a compressed stream can beat with them.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::{Result, bail};

const BUFFER_BYTES: usize = 1 << 20;

/// Decodes `file`, of `format`, into nothing.
pub fn run(format: &str, file: &Path) -> Result<()> {
    let file = File::open(file)?;
    let num_bytes = match format {
        "gzip" => {
            let input = BufReader::with_capacity(BUFFER_BYTES, file);
            drain(flate2::bufread::MultiGzDecoder::new(input))?
        }
        "zstd" => drain(zstd::Decoder::new(file)?)?,
        _ => bail!("{format} is neither gzip nor zstd"),
    };
    println!("{num_bytes} bytes");
    Ok(())
}

fn drain(mut input: impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut num_bytes = 0;
    loop {
        match input.read(&mut buffer)? {
            0 => return Ok(num_bytes),
            read => num_bytes += read as u64,
        }
    }
}
