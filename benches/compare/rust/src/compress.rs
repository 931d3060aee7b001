//! Makes the compressed inputs: one stream, as `gzip` and `zstd` make them, or independent Zstandard frames.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Result, bail};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// The tools' default levels.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;
/// Prospector's own frames, as its `frames.rs` makes them: the content of one, and how it is compressed.
const FRAME_BYTES: u64 = 256 << 10;
const FRAMES_LEVEL: i32 = 1;
const FRAMES_PARAMETERS: [CParameter; 4] = [
    CParameter::HashLog(8),
    CParameter::MinMatch(7),
    CParameter::ContentSizeFlag(true),
    CParameter::ChecksumFlag(true),
];

/// Compresses the file `from` to the file `to`.
pub fn run(format: &str, from: &Path, to: &Path) -> Result<()> {
    let mut input = BufReader::with_capacity(1 << 20, File::open(from)?);
    let mut output = BufWriter::with_capacity(1 << 20, File::create(to)?);
    match format {
        "gzip" => {
            let level = flate2::Compression::new(GZIP_LEVEL);
            let mut encoder = flate2::write::GzEncoder::new(&mut output, level);
            io::copy(&mut input, &mut encoder)?;
            encoder.finish()?;
        }
        "zstd" => zstd::stream::copy_encode(&mut input, &mut output, ZSTD_LEVEL)?,
        "zstd-frames" => write_frames(&mut input, &mut output)?,
        _ => bail!("{format} is not gzip, zstd or zstd-frames"),
    }
    output.flush()?;
    Ok(())
}

/// Writes frames that each tell the size of their content, and have a checksum.
fn write_frames(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut compressor = Compressor::new(FRAMES_LEVEL)?;
    for parameter in FRAMES_PARAMETERS {
        compressor.set_parameter(parameter)?;
    }
    let mut content = Vec::new();
    loop {
        content.clear();
        if input.by_ref().take(FRAME_BYTES).read_to_end(&mut content)? == 0 {
            return Ok(());
        }
        output.write_all(&compressor.compress(&content)?)?;
    }
}
