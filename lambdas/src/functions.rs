//! The functions: their events, their answers, and the stage that each calls.

mod asteroids;
mod create_table;
mod downloads;
mod ids;
mod parse_horizon;
mod write_to_dynamo;

pub use asteroids::{AsteroidEvent, GetLatestAsteroids, LatestSet};
pub use create_table::{CreateTable, TableAnswer, TableEvent};
pub use downloads::{CalculateMasses, DownloadDeltaV, DownloadEvent, DownloadExoplanets};
pub use ids::{RunId, SetId};
pub use parse_horizon::{HorizonEvent, ParseHorizon};
pub use write_to_dynamo::WriteToDynamo;
