//! The port for questions, and its adapter for one machine.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Body, Filter, Ranking, RunRow, Table, TableError};
use crate::cpu::on_cpu;

/// A table that answers questions, wherever it is.
#[async_trait]
pub trait Bodies: fmt::Debug + Send + Sync {
    /// The first `limit` bodies of a ranking that pass the filter. Bodies without a value are left out, and
    /// those with the same value come in the order of their designations, byte by byte.
    ///
    /// # Errors
    /// [`TableError`] where reading fails.
    async fn top(&self, by: Ranking, filter: &Filter, limit: u32) -> Result<Vec<Body>, TableError>;

    /// The bodies that are called `body`, without regard to ASCII case and to spaces and parentheses around
    /// it: the one of that designation, else that SPK-ID or number, else those of that name, else that full name.
    ///
    /// # Errors
    /// [`TableError`] where reading fails.
    async fn find(&self, body: &str) -> Result<Vec<Body>, TableError>;

    /// Bodies whose name begins with `prefix`, without regard to ASCII case: first the one of just that designation
    /// and those of just that name, then by name.
    ///
    /// # Errors
    /// [`TableError`] where reading fails.
    async fn search(&self, prefix: &str, limit: u32) -> Result<Vec<Body>, TableError>;

    /// The run that made the table.
    ///
    /// # Errors
    /// [`TableError`] where reading fails or the run's report is damaged.
    async fn run(&self) -> Result<RunRow, TableError>;
}

/// The table of one machine, asked by async code: one question at a time, on a thread that may wait.
#[derive(Debug, Clone)]
pub struct SharedTable {
    table: Arc<Mutex<Table>>,
}

impl SharedTable {
    /// Shares an open table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        SharedTable {
            table: Arc::new(Mutex::new(table)),
        }
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Table) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        let table = Arc::clone(&self.table);
        // Questions change nothing: the table is whole whoever panicked.
        on_cpu(move || question(&table.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

#[async_trait]
impl Bodies for SharedTable {
    async fn top(&self, by: Ranking, filter: &Filter, limit: u32) -> Result<Vec<Body>, TableError> {
        let filter = filter.clone();
        self.ask(move |table| table.top(by, &filter, limit)).await
    }

    async fn find(&self, body: &str) -> Result<Vec<Body>, TableError> {
        let body = body.to_owned();
        self.ask(move |table| table.find(&body)).await
    }

    async fn search(&self, prefix: &str, limit: u32) -> Result<Vec<Body>, TableError> {
        let prefix = prefix.to_owned();
        self.ask(move |table| table.search(&prefix, limit)).await
    }

    async fn run(&self) -> Result<RunRow, TableError> {
        self.ask(Table::run).await
    }
}
