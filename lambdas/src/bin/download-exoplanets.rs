//! `download-exoplanets`: the NASA Exoplanet Archive's planets.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::DownloadExoplanets>()
}
