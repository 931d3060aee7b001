//! Questions to a table in DynamoDB, played by an emulator.
#![cfg(feature = "aws")]

#[path = "../../engine/tests/support/emulator.rs"]
mod emulator;
mod support;
#[path = "../../engine/tests/support/tables.rs"]
mod tables;

use emulator::ministack;
use support::Folder;
use tables::Stack;
use tokio::runtime::Runtime;

/// A published table, and what the program is asked by.
struct Deployed {
    folder: Folder,
    stack: Stack,
    runtime: Runtime,
}

impl Deployed {
    fn new() -> Self {
        let runtime = Runtime::new().expect("threads");
        let environment = [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let environment = environment.map(|(name, value)| (name, value.to_owned()));
        Deployed {
            folder: Folder::with_environment(environment.into()),
            stack: runtime.block_on(Stack::on(ministack())),
            runtime,
        }
    }

    fn publish(&self, lines: &[&str]) {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        self.runtime
            .block_on(self.stack.publish("weekly", &lines, "{}"));
    }

    /// The arguments with those that name the table.
    fn asked<'a>(&'a self, args: &[&'a str], table: &'a str) -> Vec<&'a str> {
        let named = ["--table", table, "--endpoint-url", &ministack().url];
        args.iter().copied().chain(named).collect()
    }

    fn table(&self) -> String {
        format!("dynamodb:{}", self.stack.name)
    }
}

const EROS: &str = r#"{"designation":"433","spkid":20000433,"full_name":"433 Eros (A898 PA)","name":"Eros","kind":"asteroid","class":"AMO","price":2.5,"top":["price"]}"#;
const BENNU: &str = r#"{"designation":"101955","spkid":20101955,"full_name":"101955 Bennu (1999 RQ36)","name":"Bennu","kind":"asteroid","class":"APO","price":7.5,"top":["price"]}"#;

#[test]
fn a_table_on_aws_answers_as_a_database_does() {
    let deployed = Deployed::new();
    deployed.publish(&[EROS, BENNU]);
    let table = deployed.table();
    let done = |args: &[&str]| deployed.folder.done(&deployed.asked(args, &table));
    let top = done(&["top", "--by", "price", "--limit", "2", "--json"]);
    let names: Vec<_> = top
        .items()
        .iter()
        .map(|item| item["name"].clone())
        .collect();
    assert_eq!(names, ["Bennu", "Eros"]);
    assert_eq!(top.stderr, "");
    let shown = done(&["show", "eros", "--json"]);
    assert_eq!(
        shown.items(),
        [
            serde_json::from_str::<serde_json::Value>(&EROS.replace(r#","top":["price"]"#, ""))
                .unwrap()
        ]
    );
    let found = done(&["search", "be"]);
    assert!(
        found.stdout.contains("101955 Bennu (1999 RQ36)"),
        "{}",
        found.stdout
    );
    assert_eq!(found.stderr, "");
    assert_eq!(deployed.folder.files(), [] as [&str; 0]);
}

#[test]
fn what_a_table_on_aws_cannot_answer_is_told() {
    let deployed = Deployed::new();
    deployed.publish(&[EROS, BENNU]);
    let table = deployed.table();
    let run = |args: &[&str]| deployed.folder.run(&deployed.asked(args, &table));
    let top = run(&["top", "--by", "price", "--class", "AMO"]);
    assert!(top.stdout.contains("433 Eros"), "{}", top.stdout);
    assert!(
        top.stderr.contains("ranks the best 5000 of each kind"),
        "{}",
        top.stderr
    );
    let shown = run(&["show", "1999 RQ36"]);
    assert_eq!(shown.code, Some(1));
    assert!(
        shown.stderr.contains("no provisional designations"),
        "{}",
        shown.stderr
    );
    let found = run(&["search", "1019"]);
    assert_eq!(found.stdout, "");
    assert!(
        found.stderr.contains("designations only as a whole"),
        "{}",
        found.stderr
    );
}

#[test]
fn a_table_that_is_not_there_or_was_never_published_is_told() {
    let deployed = Deployed::new();
    let table = deployed.table();
    let run = |table: &str| {
        deployed
            .folder
            .run(&deployed.asked(&["show", "Eros"], table))
    };
    let unpublished = run(&table);
    assert_eq!(unpublished.code, Some(1));
    let expected = format!(
        "no run has published anything to {} yet",
        deployed.stack.name
    );
    assert!(
        unpublished.stderr.contains(&expected),
        "{}",
        unpublished.stderr
    );
    let unknown = run("dynamodb:nobodys");
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("deploy the stack"),
        "{}",
        unknown.stderr
    );
    let misnamed = run("mysql:nobodys");
    assert_eq!(misnamed.code, Some(2));
    assert!(
        misnamed.stderr.contains("dynamodb:NAME is wanted"),
        "{}",
        misnamed.stderr
    );
}
