//! Failures by their fixed names, which the state machine's `Retry` and `Catch` list.

use std::error::Error;
use std::fmt;

use engine::inputs::InputsError;
use engine::observer::chain;
use engine::stages::{Kind, StageError};
use engine::store::StoreError;
use lambda_runtime::Diagnostic;

/// The name of a failure: its `errorType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The event is not one of this function's.
    EventInvalid,
    /// The function's environment lacks a variable, or has one that cannot be used.
    SettingsInvalid,
    /// An upstream cannot be had now. It may be worth another try.
    UpstreamUnavailable,
    /// An upstream does not give what is asked for.
    UpstreamRefused,
    /// An input is not what it claims to be.
    InputMalformed,
    /// There is no such input.
    InputNotFound,
    /// The catalogue has fewer rows than it should have.
    InputShrunk,
    /// The object store failed. It may be worth another try.
    StoreFailed,
    /// The table failed. It may be worth another try.
    TableFailed,
    /// A queue failed. It may be worth another try.
    QueueFailed,
    /// Another run is going on.
    RunInProgress,
    /// The run is over already.
    RunOver,
    /// The time was up.
    RunDeadlineExceeded,
    /// The counts do not add up.
    RunUnreconciled,
    /// More rows were rejected than may be.
    RunTooManyRejects,
    /// Messages of the run are in the dead-letter queue.
    MessagesDead,
    /// A fault of this program.
    Internal,
}

impl Name {
    /// Every name.
    pub const ALL: [Name; 17] = [
        Name::EventInvalid,
        Name::SettingsInvalid,
        Name::UpstreamUnavailable,
        Name::UpstreamRefused,
        Name::InputMalformed,
        Name::InputNotFound,
        Name::InputShrunk,
        Name::StoreFailed,
        Name::TableFailed,
        Name::QueueFailed,
        Name::RunInProgress,
        Name::RunOver,
        Name::RunDeadlineExceeded,
        Name::RunUnreconciled,
        Name::RunTooManyRejects,
        Name::MessagesDead,
        Name::Internal,
    ];

    /// The name as the state machine has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Name::EventInvalid => "Event.Invalid",
            Name::SettingsInvalid => "Settings.Invalid",
            Name::UpstreamUnavailable => "Upstream.Unavailable",
            Name::UpstreamRefused => "Upstream.Refused",
            Name::InputMalformed => "Input.Malformed",
            Name::InputNotFound => "Input.NotFound",
            Name::InputShrunk => "Input.Shrunk",
            Name::StoreFailed => "Store.Failed",
            Name::TableFailed => "Table.Failed",
            Name::QueueFailed => "Queue.Failed",
            Name::RunInProgress => "Run.InProgress",
            Name::RunOver => "Run.Over",
            Name::RunDeadlineExceeded => "Run.DeadlineExceeded",
            Name::RunUnreconciled => "Run.Unreconciled",
            Name::RunTooManyRejects => "Run.TooManyRejects",
            Name::MessagesDead => "Messages.Dead",
            Name::Internal => "Internal",
        }
    }
}

impl From<Kind> for Name {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::UpstreamUnavailable => Name::UpstreamUnavailable,
            Kind::UpstreamRefused => Name::UpstreamRefused,
            Kind::InputMalformed => Name::InputMalformed,
            Kind::InputNotFound => Name::InputNotFound,
            Kind::InputShrunk => Name::InputShrunk,
            Kind::StoreFailed => Name::StoreFailed,
            Kind::TooManyRejects => Name::RunTooManyRejects,
            Kind::Stopped => Name::RunDeadlineExceeded,
            Kind::Internal => Name::Internal,
        }
    }
}

/// What a function answers in place of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the state machine knows it by.
    pub name: Name,
    /// What people read: what failed and the whole chain of causes.
    pub message: String,
}

impl Failure {
    /// A failure with a text of its own.
    pub fn new(name: Name, message: impl Into<String>) -> Self {
        Failure {
            name,
            message: message.into(),
        }
    }

    /// A failure that an error is the reason of.
    #[must_use]
    pub fn of(name: Name, error: &(dyn Error + 'static)) -> Self {
        Self::new(name, chain(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name.as_str(), self.message)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Diagnostic {
            error_type: failure.name.as_str().to_owned(),
            error_message: failure.message,
        }
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        Failure::of(error.kind().into(), &error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        StageError::from(error).into()
    }
}

impl From<InputsError> for Failure {
    fn from(error: InputsError) -> Self {
        StageError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_the_state_machine_knows_and_differ() {
        let mut names: Vec<&str> = Name::ALL.iter().map(|name| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Name::ALL.len());
        // Amazon States Language, "Error names": those of the language itself begin with "States.".
        assert!(names.iter().all(|name| !name.starts_with("States.")));
    }

    #[test]
    fn a_message_tells_the_whole_chain_of_causes() {
        let source: Box<dyn Error + Send + Sync> = "the disk is full".into();
        let error = StoreError::Failed {
            what: "inputs/a".to_owned(),
            doing: "stored",
            is_retryable: true,
            source,
        };
        let diagnostic = Diagnostic::from(Failure::from(error));
        assert_eq!(diagnostic.error_type, "Store.Failed");
        assert_eq!(
            diagnostic.error_message,
            "inputs/a cannot be stored: the disk is full"
        );
    }
}
