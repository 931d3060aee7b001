//! `write-to-dynamo`: messages into the table, and the answer whether all are written.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::WriteToDynamo>()
}
