//! What the system says of the memory that this process has used.

/// The most memory that this process has had, in bytes, where the system tells.
///
/// Linux keeps the figure of getrusage(2) across exec(2), so that of cargo would count; `VmHWM` begins anew
/// (proc_pid_status(5)).
pub(crate) fn peak_bytes() -> Option<u64> {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = kib.trim().trim_end_matches("kB").trim().parse().ok()?;
        return Some(kib * 1024);
    }
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()?;
    // Linux counts in KiB, macOS in bytes (getrusage(2) of either).
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(usage.max_rss()).ok().map(|rss| rss * unit)
}
