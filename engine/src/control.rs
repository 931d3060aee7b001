//! The control item: the pointer that readers follow, and the lock that runs take. The port of control tables, and all
//! that is decided by what they hold.
//!
//! The item is replaced in one step, provided that it is as it was read; where it is not, it is read and decided
//! again. So who moves the pointer has the lock at that very moment, and a run that was given up cannot move it however
//! late it comes.
//!
//! A run's name is in the item from before its table is made until that is deleted: as the lock's, the pointer's or a
//! leftover's. So a table is deleted by the next run where its own came to no end, wherever that was.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::ledger::Ledger;
use crate::table::TableError;

/// What a control table holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ControlItem {
    /// Where readers are sent, once anything was published.
    pub pointer: Option<Pointer>,
    /// The run that is going on.
    pub lock: Option<Lock>,
    /// Runs whose tables may be there, and are neither read nor written any more.
    pub leftovers: BTreeSet<String>,
}

/// The run that readers ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer {
    /// The run.
    pub run: String,
    /// Its table.
    pub table: String,
    /// When it had finished.
    pub finished_at: String,
    /// How many bodies it has.
    pub items: u64,
    /// Its report, JSON.
    pub report: String,
    /// The run that was published before, which [`Control::publish`] fills in.
    pub previous: Option<Previous>,
}

/// What a run took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Previous {
    /// The run.
    pub run: String,
    /// Its table.
    pub table: String,
    /// How many bodies it had.
    pub items: u64,
}

/// That a run is going on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lock {
    /// The run.
    pub run: String,
    /// When another run may take the lock from it, in seconds since 1970.
    pub expires_at: u64,
}

impl ControlItem {
    /// The run that has the lock, expired or not.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.lock.as_ref().map(|lock| &*lock.run)
    }

    /// Ends a run that gets no further: it does not have the lock, and where readers are not sent to it, it is a leftover.
    fn end(&mut self, run: &str) {
        self.lock.take_if(|lock| lock.run == run);
        if self.pointer_to(run).is_none() {
            self.leftovers.insert(run.to_owned());
        }
    }

    /// Where readers are sent, if that is to `run`.
    fn pointer_to(&self, run: &str) -> Option<&Pointer> {
        self.pointer.as_ref().filter(|pointer| pointer.run == run)
    }
}

/// The table of a run, and the ledger in it.
#[async_trait]
pub trait RunTable: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// Makes the table with its indexes and waits until all of them can be used. One that is there already and has
    /// the same key and indexes is fine, which makes this safe to repeat.
    ///
    /// # Errors
    /// [`TableError::OtherSchema`], and [`TableError::Failed`], which it is too where that takes too long.
    async fn create(&self) -> Result<(), TableError>;

    /// Deletes the table and waits until it is gone. One that is not there is fine.
    ///
    /// # Errors
    /// [`TableError::Failed`], which it is too where that takes too long.
    async fn delete(&self) -> Result<(), TableError>;

    /// Begins to delete the table, which goes on by itself.
    ///
    /// # Errors
    /// Those of [`delete`](Self::delete).
    async fn begin_deletion(&self) -> Result<(), TableError>;

    /// The ledger of the run.
    fn ledger(&self) -> Box<dyn Ledger>;
}

/// A control table: its item, and the tables of the runs that it is about. An adapter reads and replaces the item; what
/// is decided by it is the same for all.
#[async_trait]
pub trait Control: fmt::Debug + Send + Sync {
    /// What it is called.
    fn name(&self) -> &str;

    /// The table of a run, whether it is there or not.
    fn run_table(&self, run: &str) -> Box<dyn RunTable>;

    /// Reads the item: nobody reads an older one afterwards.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    async fn read(&self) -> Result<ControlItem, TableError>;

    /// Puts `new` in the place of the item if that is still as it was `seen`, all in one step. Returns whether it was.
    ///
    /// # Errors
    /// [`TableError::Failed`]: the item may have been replaced nevertheless.
    async fn replace(&self, seen: &ControlItem, new: &ControlItem) -> Result<bool, TableError>;

    /// Takes the lock for `run` until `validity` has passed. A run that has it already has it for longer then, and one
    /// whose lock had expired is a leftover.
    ///
    /// # Errors
    /// [`TableError::RunInProgress`] where another run has it, [`TableError::RunOver`] where the run is the one that
    /// readers are sent to, [`TableError::Failed`].
    async fn acquire(&self, run: &str, validity: Duration) -> Result<(), TableError> {
        loop {
            let item = self.read().await?;
            if item.pointer_to(run).is_some() {
                return Err(self.over(run));
            }
            let now = SystemTime::now();
            let mut locked = item.clone();
            if let Some(lock) = item.lock.as_ref().filter(|lock| lock.run != run) {
                if seconds(now) < lock.expires_at {
                    return Err(TableError::RunInProgress {
                        table: self.name().to_owned(),
                        run: lock.run.clone(),
                    });
                }
                locked.end(&lock.run);
            }
            locked.leftovers.remove(run);
            locked.lock = Some(Lock {
                run: run.to_owned(),
                expires_at: seconds(now + validity),
            });
            if self.replace(&item, &locked).await? {
                return Ok(());
            }
        }
    }

    /// Moves the pointer and returns it with what it pointed to before, which is a leftover then. A run that is published
    /// already is returned as it was published.
    ///
    /// # Errors
    /// [`TableError::RunOver`] where the run does not have the lock: it was discarded, or took so long that another
    /// has it. [`TableError::Failed`].
    async fn publish(&self, new: &Pointer) -> Result<Pointer, TableError> {
        loop {
            let item = self.read().await?;
            if let Some(published) = item.pointer_to(&new.run) {
                return Ok(published.clone());
            }
            if item.holder() != Some(&*new.run) {
                return Err(self.over(&new.run));
            }
            let previous = item.pointer.as_ref().map(|pointer| Previous {
                run: pointer.run.clone(),
                table: pointer.table.clone(),
                items: pointer.items,
            });
            let pointer = Pointer {
                previous,
                ..new.clone()
            };
            let mut moved = item.clone();
            moved.leftovers.extend(
                pointer
                    .previous
                    .as_ref()
                    .map(|previous| previous.run.clone()),
            );
            moved.pointer = Some(pointer.clone());
            if self.replace(&item, &moved).await? {
                return Ok(pointer);
            }
        }
    }

    /// Gives the lock back, if `run` has it.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    async fn release(&self, run: &str) -> Result<(), TableError> {
        change(self, |item| {
            item.lock.take_if(|lock| lock.run == run);
        })
        .await
    }

    /// Gives the lock of a run that failed back, and deletes its table. Where readers are sent to it already, it is
    /// the table of the run before that is deleted, as that run's end left it. Repeating it does nothing more.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    async fn discard(&self, run: &str) -> Result<(), TableError> {
        // First: from here on whatever is still at work for the run cannot publish it.
        change(self, |item| item.end(run)).await?;
        self.sweep().await
    }

    /// Deletes the tables of leftovers and waits until they are gone.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    async fn sweep(&self) -> Result<(), TableError> {
        let leftovers = self.read().await?.leftovers;
        for run in &leftovers {
            self.run_table(run).delete().await?;
        }
        self.forget(&leftovers).await
    }

    /// Takes runs off the leftovers: their tables are deleted.
    ///
    /// # Errors
    /// [`TableError::Failed`].
    async fn forget(&self, runs: &BTreeSet<String>) -> Result<(), TableError> {
        change(self, |item| {
            item.leftovers.retain(|run| !runs.contains(run))
        })
        .await
    }

    /// That a run is over.
    fn over(&self, run: &str) -> TableError {
        TableError::RunOver {
            table: self.run_table(run).name().to_owned(),
        }
    }
}

/// Replaces the item by what `change` makes of it, however often it has to be read for that.
async fn change<C: Control + ?Sized>(
    control: &C,
    change: impl Fn(&mut ControlItem) + Send + Sync,
) -> Result<(), TableError> {
    loop {
        let item = control.read().await?;
        let mut new = item.clone();
        change(&mut new);
        if new == item || control.replace(&item, &new).await? {
            return Ok(());
        }
    }
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
