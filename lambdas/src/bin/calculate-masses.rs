//! `calculate-masses`: one best mass a body.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::CalculateMasses>()
}
