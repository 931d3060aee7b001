//! A table asked: the database of this machine, or a table on AWS.

use std::sync::Arc;

use anyhow::Context;
use engine::messages::RANKED_BODIES;
use engine::table::{Bodies, Body, Filter, Ranking, TableLocation};
use tokio::runtime::Runtime;

use crate::args::TableArgs;
use crate::waiting;

/// An open table.
pub(crate) struct Questions {
    location: TableLocation,
    bodies: Arc<dyn Bodies>,
    runtime: Runtime,
}

impl Questions {
    pub(crate) fn open(args: &TableArgs) -> anyhow::Result<Self> {
        let location = args.location();
        let runtime = waiting::runtime()?;
        let opened = waiting::wait_for(&runtime, location.open(args.endpoint_url()));
        let bodies = match location {
            TableLocation::File(_) => opened.context(
                "no database to ask (`prospector run --recorded` makes one; --database names another)",
            )?,
            TableLocation::DynamoDb(_) => opened?,
        };
        Ok(Questions {
            location,
            bodies,
            runtime,
        })
    }

    pub(crate) fn top(
        &self,
        by: Ranking,
        filter: &Filter,
        limit: u32,
    ) -> anyhow::Result<Vec<Body>> {
        waiting::wait_for(&self.runtime, self.bodies.top(by, filter, limit))
    }

    pub(crate) fn search(&self, prefix: &str, limit: u32) -> anyhow::Result<Vec<Body>> {
        waiting::wait_for(&self.runtime, self.bodies.search(prefix, limit))
    }

    /// Finds the bodies that are called `name`.
    pub(crate) fn find(&self, name: &str) -> anyhow::Result<Vec<Body>> {
        let bodies = waiting::wait_for(&self.runtime, self.bodies.find(name))?;
        if bodies.is_empty() {
            let limit = match self.is_on_aws() {
                true => {
                    "; a table on DynamoDB knows no SPK-IDs but those of numbered asteroids, and no provisional \
                     designations of these"
                }
                false => "",
            };
            anyhow::bail!(
                "no body is called {name:?}: `prospector search {name:?}` lists what begins like it{limit}"
            );
        }
        Ok(bodies)
    }

    /// What a person is to know of a ranking that lists fewer bodies than were asked for.
    pub(crate) fn limit_of_rankings(&self) -> Option<String> {
        self.is_on_aws().then(|| {
            format!(
                "a table on DynamoDB ranks the best {RANKED_BODIES} of each kind, and --class and --spec choose among \
                 these"
            )
        })
    }

    /// What a person is to know of a beginning that finds nothing.
    pub(crate) fn limit_of_search(&self) -> Option<&'static str> {
        self.is_on_aws().then_some(
            "a table on DynamoDB finds names by their beginning, and designations only as a whole",
        )
    }

    fn is_on_aws(&self) -> bool {
        matches!(self.location, TableLocation::DynamoDb(_))
    }
}
