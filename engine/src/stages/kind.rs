//! What kind of failure an error is, for whoever decides what to do about it without reading its text: whether to
//! try again, and whom to tell. On AWS each kind has a name that the state machine knows.

use std::io;

use super::StageError;
use crate::catalogue::CatalogueError;
use crate::inputs::InputsError;
use crate::job::JobError;
use crate::ledger::LedgerError;
use crate::pipeline::PipelineError;
use crate::queue::QueueError;
use crate::store::StoreError;
use crate::table::TableError;
use crate::tasks::TaskError;
use crate::upstream::{Problem, UpstreamError};

/// What kind of failure an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An upstream cannot be had now, and may be had later.
    UpstreamUnavailable,
    /// An upstream does not give what is asked for, and will not for a while.
    UpstreamRefused,
    /// An input is not what it claims to be.
    InputMalformed,
    /// There is no such input.
    InputNotFound,
    /// The catalogue has fewer rows than it should have.
    InputShrunk,
    /// The object store failed, and may not fail again.
    StoreFailed,
    /// The table failed, and may not fail again.
    TableFailed,
    /// A queue failed, and may not fail again.
    QueueFailed,
    /// Another run is going on.
    RunInProgress,
    /// The run is over already.
    RunOver,
    /// The counts do not add up.
    Unreconciled,
    /// Messages of the run are dead letters.
    MessagesDead,
    /// More rows were rejected than may be.
    TooManyRejects,
    /// The work was stopped for want of time.
    Stopped,
    /// This program is at fault, or the machine that it runs on.
    Internal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 15] = [
        Kind::UpstreamUnavailable,
        Kind::UpstreamRefused,
        Kind::InputMalformed,
        Kind::InputNotFound,
        Kind::InputShrunk,
        Kind::StoreFailed,
        Kind::TableFailed,
        Kind::QueueFailed,
        Kind::RunInProgress,
        Kind::RunOver,
        Kind::Unreconciled,
        Kind::MessagesDead,
        Kind::TooManyRejects,
        Kind::Stopped,
        Kind::Internal,
    ];

    /// What a state machine calls it, where it lists what to try again.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::UpstreamUnavailable => "Upstream.Unavailable",
            Kind::UpstreamRefused => "Upstream.Refused",
            Kind::InputMalformed => "Input.Malformed",
            Kind::InputNotFound => "Input.NotFound",
            Kind::InputShrunk => "Input.Shrunk",
            Kind::StoreFailed => "Store.Failed",
            Kind::TableFailed => "Table.Failed",
            Kind::QueueFailed => "Queue.Failed",
            Kind::RunInProgress => "Run.InProgress",
            Kind::RunOver => "Run.Over",
            Kind::Unreconciled => "Run.Unreconciled",
            Kind::MessagesDead => "Messages.Dead",
            Kind::TooManyRejects => "Run.TooManyRejects",
            Kind::Stopped => "Run.DeadlineExceeded",
            Kind::Internal => "Internal",
        }
    }
}

impl StageError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Upstream(error) => upstream(error),
            Self::Store(error) => store(error),
            Self::Table(error) => table(error),
            Self::Queue(QueueError::TooLong { .. }) => Kind::Internal,
            Self::Queue(QueueError::Failed { .. }) => Kind::QueueFailed,
            Self::Ledger(LedgerError::RunOver) => Kind::RunOver,
            Self::Ledger(LedgerError::Failed { .. }) => Kind::TableFailed,
            Self::Task(TaskError::Over) => Kind::RunOver,
            Self::Task(TaskError::Failed(_)) => Kind::QueueFailed,
            Self::Unreconciled(_) => Kind::Unreconciled,
            Self::Inputs(error) => inputs(error),
            Self::Job(JobError::Input { .. }) => Kind::InputMalformed,
            Self::Job(JobError::Catalogue { source, .. }) | Self::Catalogue { source, .. } => {
                pipeline(source)
            }
            Self::Cancelled => Kind::Stopped,
            Self::File { .. } => Kind::InputNotFound,
            Self::TooLarge { .. }
            | Self::Document { .. }
            | Self::OtherCount { .. }
            | Self::OtherRows { .. } => Kind::InputMalformed,
            Self::TooFewRows { .. } | Self::Shrunk { .. } => Kind::InputShrunk,
        }
    }
}

fn upstream(error: &UpstreamError) -> Kind {
    match &error.problem {
        // What was given up for now may be there when the whole stage is tried again.
        Problem::GaveUp { source, .. } => problem(source),
        other => problem(other),
    }
}

fn problem(problem: &Problem) -> Kind {
    match problem {
        Problem::TooLarge { .. } | Problem::UnknownCoding { .. } | Problem::FalseCoding { .. } => {
            Kind::InputMalformed
        }
        Problem::TimedOut { .. } => Kind::UpstreamUnavailable,
        other if other.is_retryable() => Kind::UpstreamUnavailable,
        _ => Kind::UpstreamRefused,
    }
}

fn store(error: &StoreError) -> Kind {
    match error {
        StoreError::NotFound { .. } => Kind::InputNotFound,
        StoreError::Replaced { .. } => Kind::InputMalformed,
        StoreError::Body { .. } | StoreError::AlreadyExists { .. } | StoreError::Failed { .. } => {
            Kind::StoreFailed
        }
    }
}

/// On one machine what may pass with a table is for people to judge; there is no state machine.
fn table(error: &TableError) -> Kind {
    match error {
        TableError::Replace(_)
        | TableError::InUse { .. }
        | TableError::Missing { .. }
        | TableError::Database { .. }
        | TableError::Failed { .. } => Kind::TableFailed,
        TableError::RunOver { .. } => Kind::RunOver,
        TableError::RunInProgress { .. } => Kind::RunInProgress,
        TableError::Unpublished { .. } => Kind::InputNotFound,
        TableError::Malformed { .. }
        | TableError::Insert { .. }
        | TableError::Report { .. }
        | TableError::Foreign { .. }
        | TableError::OtherVersion { .. }
        | TableError::OtherSchema { .. } => Kind::Internal,
    }
}

fn inputs(error: &InputsError) -> Kind {
    match error {
        InputsError::Store(error) => store(error),
        InputsError::NoSuchSet { .. } | InputsError::NoSet { .. } => Kind::InputNotFound,
        InputsError::Damaged { .. }
        | InputsError::OtherSet { .. }
        | InputsError::Manifest { .. } => Kind::InputMalformed,
    }
}

fn pipeline(error: &PipelineError) -> Kind {
    match error {
        PipelineError::Catalogue(CatalogueError::Read(error)) => read(error),
        PipelineError::Catalogue(_) => Kind::InputMalformed,
        PipelineError::Rejects(_) => Kind::StoreFailed,
        PipelineError::TooManyRejects { .. } => Kind::TooManyRejects,
        PipelineError::Cancelled => Kind::Stopped,
        PipelineError::Sink(_) | PipelineError::Threads(_) => Kind::Internal,
    }
}

/// A catalogue is read out of the store, whose error travels inside that of reading.
fn read(error: &io::Error) -> Kind {
    let of_store = error.get_ref().and_then(|inner| inner.downcast_ref());
    of_store.map_or(Kind::StoreFailed, store)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Problem {
        Problem::Status {
            status,
            said: String::new(),
            retry_after: None,
        }
    }

    fn failed(problem: Problem) -> Kind {
        let error = UpstreamError {
            what: "small-body catalogue".to_owned(),
            place: "http://localhost/".to_owned(),
            problem,
        };
        StageError::from(error).kind()
    }

    #[test]
    fn what_may_pass_is_told_from_a_refusal() {
        let gave_up = |source| Problem::GaveUp {
            attempts: 5,
            source: Box::new(source),
        };
        assert_eq!(failed(gave_up(status(503))), Kind::UpstreamUnavailable);
        assert_eq!(failed(status(404)), Kind::UpstreamRefused);
        let blocked = Problem::Blocked {
            host: "localhost".to_owned(),
            said: String::new(),
        };
        assert_eq!(failed(blocked), Kind::UpstreamRefused);
        assert_eq!(
            failed(Problem::TooLarge { max_bytes: 1 }),
            Kind::InputMalformed
        );
    }

    #[test]
    fn an_error_of_the_store_is_known_behind_that_of_reading() {
        let catalogue = |error| {
            let source = PipelineError::from(CatalogueError::Read(error));
            StageError::from(JobError::Catalogue {
                name: "asteroids.json.zst".to_owned(),
                source,
            })
        };
        let key = crate::store::Key::new("inputs/a").unwrap();
        let replaced = StoreError::Replaced { key };
        let kind = catalogue(io::Error::other(replaced)).kind();
        assert_eq!(kind, Kind::InputMalformed);
        let kind = catalogue(io::ErrorKind::UnexpectedEof.into()).kind();
        assert_eq!(kind, Kind::StoreFailed);
    }
}
