//! The functions of a run one after the other, as the state machine calls them: the bucket is on an S3 server, the
//! tables, queues and the task that waits are on an emulator of AWS.

#[path = "../../engine/tests/support/emulator.rs"]
mod emulator;
#[path = "../../engine/tests/support/misbehaving_server.rs"]
mod misbehaving_server;
#[path = "../../engine/tests/support/s3_server.rs"]
mod s3_server;
mod support;
#[path = "support/downloads.rs"]
mod upstreams;

use std::time::Duration;

use emulator::{ministack, unique};
use engine::aws::SdkConfig;
use engine::queue::{Queue, Sqs, SqsOptions};
use serde_json::{Value, json};
use support::{Answer, invoke};
use tokio::runtime::Runtime;
use upstreams::Downloads;

const CREATE_TABLE: &str = env!("CARGO_BIN_EXE_create-table");
const PARSE_HORIZON: &str = env!("CARGO_BIN_EXE_parse-horizon");
const WRITE_TO_DYNAMO: &str = env!("CARGO_BIN_EXE_write-to-dynamo");

/// A stack whose bucket has an input set.
struct Stack {
    runtime: Runtime,
    config: SdkConfig,
    name: String,
    downloads: Downloads,
    environment: Vec<(&'static str, String)>,
    data_queue: String,
    done_queue: String,
}

impl Stack {
    fn start() -> Self {
        let runtime = Runtime::new().expect("threads");
        let server = ministack();
        let config = runtime.block_on(server.config());
        let name = unique("stack");
        let key = json!({
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        });
        server.dynamodb("CreateTable", &key.to_string());
        let [data_queue, done_queue, dead_letters] = ["data", "done", "dead"].map(|queue| {
            let client = aws_sdk_sqs::Client::new(&config);
            let create = client.create_queue().queue_name(format!("{name}-{queue}"));
            let created = runtime.block_on(create.send()).expect("a queue");
            created.queue_url.expect("its address")
        });
        let downloads = Downloads::start(&[]);
        let event = downloads.asteroid_event();
        downloads.get_latest_asteroids(&event).result();
        let mut environment = downloads.bucket.environment();
        environment.extend([
            ("AWS_ENDPOINT_URL", server.url.clone()),
            ("CONTROL_TABLE", name.clone()),
            ("DATA_QUEUE_URL", data_queue.clone()),
            ("DONE_QUEUE_URL", done_queue.clone()),
            ("DEAD_LETTER_QUEUE_URL", dead_letters),
        ]);
        Stack {
            runtime,
            config,
            name,
            downloads,
            environment,
            data_queue,
            done_queue,
        }
    }

    fn invoke(&self, program: &str, event: &Value) -> Answer {
        invoke(program, &self.environment, event)
    }

    fn table(&self, event: Value) -> Answer {
        self.invoke(CREATE_TABLE, &event)
    }

    /// Everything that is in a queue, which is empty then.
    fn receive(&self, url: &str) -> Vec<String> {
        let queue = Sqs::with_config(&self.config, url, SqsOptions::default());
        self.runtime.block_on(async {
            let mut bodies = Vec::new();
            loop {
                let received = queue.receive(10, Duration::from_secs(1)).await;
                let received = received.expect("messages");
                if received.is_empty() {
                    return bodies;
                }
                for delivery in received {
                    queue.ack(&delivery.receipt).await.expect("an answer");
                    bodies.push(delivery.body);
                }
            }
        })
    }

    /// Gives `write-to-dynamo` messages, each by its place as its id, and returns the ids of those that failed.
    fn write(&self, bodies: &[String]) -> Vec<String> {
        let record = |(id, body): (usize, &String)| {
            json!({
                "messageId": id.to_string(), "receiptHandle": "none", "body": body,
                "attributes": {"SentTimestamp": "1764000000000"},
            })
        };
        let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
        let answer = self
            .invoke(WRITE_TO_DYNAMO, &json!({"Records": records}))
            .result();
        let failures = answer["batchItemFailures"].as_array().expect("a list");
        let id = |failure: &Value| {
            failure["itemIdentifier"]
                .as_str()
                .expect("an id")
                .to_owned()
        };
        let mut ids: Vec<String> = failures.iter().map(id).collect();
        ids.sort();
        ids
    }

    /// Starts a task that waits, and returns its token and the name of its execution.
    fn wait_for_token(&self) -> (String, String) {
        let client = aws_sdk_sfn::Client::new(&self.config);
        let definition = json!({"StartAt": "Wait", "States": {"Wait": {
            "Type": "Task", "End": true, "TimeoutSeconds": 600,
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {
                "QueueUrl": self.done_queue, "MessageBody": {"token.$": "$$.Task.Token"},
            },
        }}});
        let execution = self.runtime.block_on(async {
            let machine = client
                .create_state_machine()
                .name(&self.name)
                .role_arn("arn:aws:iam::000000000000:role/any")
                .definition(definition.to_string());
            let machine = machine.send().await.expect("a state machine");
            let start = client
                .start_execution()
                .state_machine_arn(machine.state_machine_arn);
            start.send().await.expect("an execution").execution_arn
        });
        for _ in 0..30 {
            if let Some(body) = self.receive(&self.done_queue).pop() {
                let body: Value = serde_json::from_str(&body).expect("JSON");
                return (
                    body["token"].as_str().expect("a token").to_owned(),
                    execution,
                );
            }
        }
        panic!("the task does not begin");
    }

    /// What an execution gave in the end.
    fn output_of(&self, execution: &str) -> Value {
        let client = aws_sdk_sfn::Client::new(&self.config);
        for _ in 0..100 {
            let describe = client.describe_execution().execution_arn(execution).send();
            let described = self.runtime.block_on(describe).expect("an execution");
            if let Some(output) = described.output() {
                return serde_json::from_str(output).expect("JSON");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the execution does not end");
    }

    fn done_message(&self, run: &str, token: &str, parsed: &Value) -> String {
        json!({
            "run": run, "task_token": token, "messages": parsed["messages"],
            "items": parsed["items"], "deadline_seconds": 4_000_000_000_u64,
        })
        .to_string()
    }

    /// A whole run. Returns what publishing it answered.
    fn run(&self, run: &str) -> Value {
        self.table(json!({"mode": "create", "run": run})).result();
        let parsed = self.invoke(PARSE_HORIZON, &json!({"run": run, "inputs": "latest"}));
        let parsed = parsed.result();
        assert!(self.write(&self.receive(&self.data_queue)).is_empty());
        let written = json!({"messages": parsed["messages"], "written": parsed["items"]});
        let event = json!({"mode": "publish", "run": run, "parsed": parsed, "written": written});
        let published = self.table(event.clone()).result();
        let again = self.table(event).result();
        assert_eq!(again, published, "a retry after a lost answer");
        published
    }
}

#[test]
fn a_run_is_written_answered_published_and_told() {
    let stack = Stack::start();
    let run = "weekly-1";
    let created = stack.table(json!({"mode": "create", "run": run})).result();
    assert_eq!(created["table"], format!("{}.{run}", stack.name));
    let parsed = stack.invoke(PARSE_HORIZON, &json!({"run": run, "inputs": "latest"}));
    let parsed = parsed.result();
    assert!(parsed["report"]["rows"].get("written").is_none());
    assert!(
        stack
            .downloads
            .bucket
            .read(&format!("runs/{run}/rejects.jsonl"))
            .is_some()
    );
    let bodies = stack.receive(&stack.data_queue);
    assert_eq!(
        bodies.len() as u64,
        parsed["messages"].as_u64().expect("a number")
    );

    let (token, execution) = stack.wait_for_token();
    let done = stack.done_message(run, &token, &parsed);
    let (last, others) = bodies.split_last().expect("messages");
    let stale = r#"{"run":"weekly-0","seq":0,"items":[{"designation":"433"}]}"#;
    let mut batch = vec!["no message of ours".to_owned(), stale.to_owned()];
    batch.extend(others.iter().cloned());
    assert_eq!(stack.write(&batch), ["0"], "the poison alone fails");
    assert_eq!(
        stack.write(std::slice::from_ref(&done)),
        ["0"],
        "one message is missing"
    );
    assert!(stack.write(&[last.clone(), last.clone()]).is_empty());
    assert!(stack.write(std::slice::from_ref(&done)).is_empty());
    let written = stack.output_of(&execution);
    assert_eq!(
        written,
        json!({"messages": parsed["messages"], "written": parsed["items"]})
    );
    assert!(
        stack.write(&[done]).is_empty(),
        "nobody waits for it any more"
    );

    let event = json!({"mode": "publish", "run": run, "parsed": parsed, "written": written});
    let published = stack.table(event).result();
    assert_eq!(published["items"], parsed["items"]);
    let message = published["notice"]["message"].as_str().expect("a text");
    assert!(message.contains("\n  10. "), "{message}");
    assert!(
        message.contains(&format!("--table dynamodb:{}", stack.name)),
        "{message}"
    );
    let report = stack
        .downloads
        .bucket
        .json(&format!("runs/{run}/report.json"));
    assert_eq!(report["rows"]["written"], parsed["items"]);
}

#[test]
fn a_later_run_takes_the_place_of_the_former_and_one_that_fails_leaves_it() {
    let stack = Stack::start();
    let first = stack.run("weekly-1");
    assert!(first.get("previous_items").is_none());
    let second = stack.run("weekly-2");
    assert_eq!(second["previous_items"], first["items"]);

    stack
        .table(json!({"mode": "create", "run": "weekly-3"}))
        .result();
    let other = stack.table(json!({"mode": "create", "run": "weekly-4"}));
    assert_eq!(other.failure().0, "Run.InProgress");
    for _ in 0..2 {
        let discarded = stack.table(json!({"mode": "discard", "run": "weekly-3"}));
        assert_eq!(discarded.result(), json!({}));
    }
    let tables = ministack().dynamodb("ListTables", "{}");
    let is_there = |run: &str| tables.contains(&format!("\"{}.{run}\"", stack.name));
    assert!(is_there("weekly-2"), "{tables}");
    assert!(!is_there("weekly-1") && !is_there("weekly-3"), "{tables}");
}

#[test]
fn a_run_whose_counts_do_not_add_up_is_not_published() {
    let stack = Stack::start();
    let run = "weekly-1";
    stack.table(json!({"mode": "create", "run": run})).result();
    let parsed = stack.invoke(PARSE_HORIZON, &json!({"run": run, "inputs": "latest"}));
    let parsed = parsed.result();
    let written = json!({"messages": parsed["messages"], "written": 1});
    let event = json!({"mode": "publish", "run": run, "parsed": parsed, "written": written});
    assert_eq!(stack.table(event).failure().0, "Run.Unreconciled");
    let missing = json!({"run": "weekly-2", "inputs": "2020-01-01"});
    let missing = stack.invoke(PARSE_HORIZON, &missing);
    assert_eq!(missing.failure().0, "Input.NotFound");
}

#[test]
fn a_repetition_values_the_set_of_the_first_attempt() {
    let stack = Stack::start();
    let run = "weekly-1";
    stack.table(json!({"mode": "create", "run": run})).result();
    let first = stack.invoke(PARSE_HORIZON, &json!({"run": run, "inputs": "latest"}));
    // By then "latest" would be another one, as this name is.
    let again = stack.invoke(PARSE_HORIZON, &json!({"run": run, "inputs": "2020-01-01"}));
    assert_eq!(again.result()["set"], first.result()["set"]);
}
