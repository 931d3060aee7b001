//! The functions: their events, their answers, and the stage that each calls.

mod asteroids;
mod downloads;
mod ids;

pub use asteroids::{AsteroidEvent, GetLatestAsteroids, LatestSet};
pub use downloads::{CalculateMasses, DownloadDeltaV, DownloadEvent, DownloadExoplanets};
pub use ids::{RunId, SetId};
