//! `parse-horizon`: an input set, valued and sent as messages.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::ParseHorizon>()
}
