//! `get-latest-asteroids`: JPL's catalogue, and the manifest of the input set.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::GetLatestAsteroids>()
}
