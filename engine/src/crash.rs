//! Named points of a run at which tests kill the process, as a loss of power would. They are compiled in by the
//! feature `crash-points` alone, which is for tests: a program that is shipped has none.
//!
//! `PROSPECTOR_CRASH=file-renamed:3` kills the process with SIGKILL when it comes to that point for the third time.

/// Every point, in about the order in which a run comes to them.
pub const POINTS: [&str; 11] = [
    "name-reserved",
    "file-begun",
    "file-written",
    "file-linked",
    "file-renamed",
    "frame-compressed",
    "set-published",
    "file-deleted",
    "batch-written",
    "rows-inserted",
    "indexes-made",
];

/// The variable that says where to die.
pub const VARIABLE: &str = "PROSPECTOR_CRASH";

/// Dies here if that is asked for.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub(crate) fn point(_: &'static str) {}

/// Dies here if that is asked for.
#[cfg(feature = "crash-points")]
pub(crate) fn point(name: &'static str) {
    use std::sync::atomic::{AtomicU64, Ordering};

    static NUM_VISITS: AtomicU64 = AtomicU64::new(0);

    debug_assert!(POINTS.contains(&name), "{name} is not among the points");
    let Ok(wanted) = std::env::var(VARIABLE) else {
        return;
    };
    let (wanted_name, visit) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if wanted_name == name && visit.parse() == Ok(NUM_VISITS.fetch_add(1, Ordering::Relaxed) + 1) {
        let this = nix::unistd::Pid::this();
        // That a process cannot kill itself is unheard of; the test would then see it live on.
        let _ = nix::sys::signal::kill(this, nix::sys::signal::Signal::SIGKILL);
    }
}
