//! The table that readers ask: that of the run which was published last.

use async_trait::async_trait;
use aws_config::SdkConfig;

use super::{Connection, DynamoControl, DynamoDbOptions};
use crate::table::{Bodies, Body, Filter, Ranking, RunRow, TableError, bare};

/// Answers questions out of the table of the run that was published last. Every question asks which that is.
#[derive(Debug, Clone)]
pub struct PublishedTable {
    control: DynamoControl,
}

impl PublishedTable {
    /// What is published to the control table `name`, which is called like the stack.
    #[must_use]
    pub fn new(config: &SdkConfig, name: &str, options: DynamoDbOptions) -> Self {
        PublishedTable {
            control: DynamoControl::new(config, name, options),
        }
    }

    /// Asks the published table, and the next one where that was published meanwhile and the old one is gone.
    async fn ask(&self, question: Question<'_>) -> Result<Vec<Body>, TableError> {
        let mut table = self.table().await?;
        loop {
            let asked = self.control.connection().to(&table);
            match question.ask(&asked).await {
                Err(TableError::RunOver { table: gone }) => {
                    table = self.table().await?;
                    if table == gone {
                        return Err(TableError::RunOver { table });
                    }
                }
                answer => return answer,
            }
        }
    }

    async fn table(&self) -> Result<String, TableError> {
        Ok(self.control.published().await?.table)
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Question<'a> {
    Top {
        by: Ranking,
        filter: &'a Filter,
        limit: u32,
    },
    Find(&'a str),
    Search {
        prefix: &'a str,
        limit: u32,
    },
}

impl Question<'_> {
    async fn ask(self, table: &Connection) -> Result<Vec<Body>, TableError> {
        match self {
            Question::Top { by, filter, limit } => {
                let ranked = table.ranked(by, filter, limit).await?;
                table.bodies(&ranked).await
            }
            Question::Find(body) => table.called(body).await,
            Question::Search { prefix, limit } => table.beginning(prefix, limit).await,
        }
    }
}

#[async_trait]
impl Bodies for PublishedTable {
    async fn top(&self, by: Ranking, filter: &Filter, limit: u32) -> Result<Vec<Body>, TableError> {
        self.ask(Question::Top { by, filter, limit }).await
    }

    async fn find(&self, body: &str) -> Result<Vec<Body>, TableError> {
        self.ask(Question::Find(&bare(body))).await
    }

    async fn search(&self, prefix: &str, limit: u32) -> Result<Vec<Body>, TableError> {
        let prefix = prefix.trim_start();
        self.ask(Question::Search { prefix, limit }).await
    }

    async fn run(&self) -> Result<RunRow, TableError> {
        let pointer = self.control.published().await?;
        let report = serde_json::from_str(&pointer.report);
        Ok(RunRow {
            report: report.map_err(|source| TableError::Report {
                path: self.control.connection().table.clone().into(),
                source,
            })?,
            run_id: pointer.run,
            finished_at: pointer.finished_at,
        })
    }
}
