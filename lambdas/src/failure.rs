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
    /// What a stage of the engine failed by.
    Stage(Kind),
}

impl Name {
    /// The name as the state machine has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Name::EventInvalid => "Event.Invalid",
            Name::SettingsInvalid => "Settings.Invalid",
            Name::Stage(kind) => kind.name(),
        }
    }

    /// Every name that a function may answer by.
    pub fn all() -> impl Iterator<Item = &'static str> {
        let own = [Name::EventInvalid, Name::SettingsInvalid];
        let names = own.into_iter().chain(Kind::ALL.map(Name::Stage));
        names.map(Name::as_str)
    }

    /// A fault of this program.
    pub(crate) const INTERNAL: Name = Name::Stage(Kind::Internal);
    /// The time was up.
    pub(crate) const DEADLINE_EXCEEDED: Name = Name::Stage(Kind::Stopped);
}

impl From<Kind> for Name {
    fn from(kind: Kind) -> Self {
        Name::Stage(kind)
    }
}

/// The longest message. A cause, which has it and some more, may have 32,768 characters (AWS Step Functions API
/// Reference, `ErrorDetails`).
const MAX_MESSAGE_BYTES: usize = 4_000;

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
        let mut message = message.into();
        // Step Functions cuts a long cause, and then it is no JSON any more.
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
        Failure { name, message }
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
        let mut names: Vec<&str> = Name::all().collect();
        let num_names = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), num_names);
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
