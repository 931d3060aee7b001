//! The launcher: runs a command and measures it.
//!
//! The kernel counts into a child's peak memory what its parent held when the child was made, so the parent must be
//! small: this program is, Python is not.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use wait4::Wait4;

/// Runs `command` and writes seconds, peak memory and how it ended to `result`, as JSON.
pub fn run(result: &Path, command: &str, arguments: &[&str]) -> Result<()> {
    // Should memory run out, then a measured program is to die and nothing else on the machine.
    fs::write("/proc/self/oom_score_adj", "1000").context("cannot offer myself to the killer")?;
    let start = Instant::now();
    let child = Command::new(command).args(arguments).spawn()?;
    let used = child.wait4()?;
    let wall = start.elapsed();
    let measured = serde_json::json!({
        "wall_s": wall.as_secs_f64(),
        "cpu_s": (used.rusage.utime + used.rusage.stime).as_secs_f64(),
        "peak_bytes": used.rusage.maxrss,
        "ended": used.status.to_string(),
        "succeeded": used.status.success(),
    });
    fs::write(result, measured.to_string())?;
    Ok(())
}
