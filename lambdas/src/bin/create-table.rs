//! `create-table`: a run's table, before the run and after it.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::CreateTable>()
}
