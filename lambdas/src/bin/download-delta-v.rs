//! `download-delta-v`: Benner's delta-v table.

fn main() -> Result<(), lambda_runtime::Error> {
    lambdas::serve::<lambdas::DownloadDeltaV>()
}
