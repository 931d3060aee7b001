//! The check that two files of items agree, whatever the order of their lines.
//!
//! Both are read side by side; an item waits in memory until its counterpart comes along. Files in one order need
//! no memory, others what their disorder needs.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::item::Item;

/// Sums and exponentials may be evaluated in another order: what a figure may differ by, relative.
const TOLERANCE: f64 = 1e-9;

type Waiting = HashMap<String, Item<'static>>;

/// Compares every item of the file `ours` with the one of the same designation in `theirs`, whose
/// figures may be off by `slack`, absolute, beside [`TOLERANCE`].
pub fn run(ours: &Path, theirs: &Path, slack: f64) -> Result<()> {
    let open = |path: &Path| File::open(path).map(|file| BufReader::with_capacity(1 << 20, file));
    let num_items = agree(open(ours)?, open(theirs)?, slack)?;
    println!("{num_items} items agree");
    Ok(())
}

/// The number of items, where all agree.
fn agree(mut ours: impl BufRead, mut theirs: impl BufRead, slack: f64) -> Result<u64> {
    let (mut our_line, mut their_line) = (String::new(), String::new());
    let (mut ours_waiting, mut theirs_waiting) = (Waiting::new(), Waiting::new());
    let mut num_items = 0;
    loop {
        let our_item = next(&mut ours, &mut our_line).context("in our output")?;
        let their_item = next(&mut theirs, &mut their_line).context("in their output")?;
        match (our_item, their_item) {
            (None, None) => break,
            (Some(our), Some(their)) if our.designation == their.designation => {
                compare(&our, &their, slack)?;
            }
            (our, their) => {
                our.map_or(Ok(()), |item| {
                    meet(item, &mut theirs_waiting, &mut ours_waiting, slack)
                })?;
                their.map_or(Ok(()), |item| {
                    meet(item, &mut ours_waiting, &mut theirs_waiting, slack)
                })?;
            }
        }
        num_items += 1;
    }
    for (side, waiting) in [("ours", ours_waiting), ("theirs", theirs_waiting)] {
        if let Some(key) = waiting.keys().next() {
            bail!(
                "{} items are only in {side}, such as {key:?}",
                waiting.len()
            );
        }
    }
    Ok(num_items)
}

fn next<'a>(input: &mut impl BufRead, line: &'a mut String) -> Result<Option<Item<'a>>> {
    line.clear();
    if input.read_line(line)? == 0 {
        return Ok(None);
    }
    let item = serde_json::from_str(line).with_context(|| format!("no item: {line}"))?;
    Ok(Some(item))
}

/// Compares `item` with its counterpart among `others`, or lets it wait for that.
fn meet(item: Item, others: &mut Waiting, waiting: &mut Waiting, slack: f64) -> Result<()> {
    let key = item
        .designation
        .as_deref()
        .context("an item without designation")?;
    if let Some(other) = others.remove(key) {
        return compare(&item, &other, slack);
    }
    match waiting.insert(key.to_owned(), item.into_owned()) {
        Some(item) => bail!("two items of one side are {:?}", item.designation),
        None => Ok(()),
    }
}

fn compare(one: &Item, other: &Item, slack: f64) -> Result<()> {
    match one.difference(other, TOLERANCE, slack) {
        Some(attribute) => bail!("different {attribute}:\n{one:?}\n{other:?}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = r#"{"designation":"1","kind":"asteroid","price":0.0,"closeness":2636.15}
{"designation":"2","kind":"asteroid","albedo":0.1,"price":1e12,"closeness":2649.1}
{"designation":"3","kind":"comet","price":-1.0,"closeness":-1.0}
"#;

    fn check(theirs: &str) -> Result<u64> {
        agree(OURS.as_bytes(), theirs.as_bytes(), 0.0)
    }

    #[track_caller]
    fn differs(theirs: &str, message: &str) {
        let error = check(theirs).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn order_and_nulls_and_the_last_digits_do_not_matter() {
        let lines: Vec<&str> = OURS.lines().rev().collect();
        assert_eq!(check(&lines.join("\n")).unwrap(), 3);
        assert_eq!(
            check(&OURS.replace("comet\"", "comet\",\"albedo\":null")).unwrap(),
            3
        );
        assert_eq!(check(&OURS.replace("2649.1", "2649.100000001")).unwrap(), 3);
    }

    #[test]
    fn slack_counts_where_a_figure_is_small() {
        let (ours, theirs) = (
            OURS.replace("0.1", "1.91e-7"),
            OURS.replace("0.1", "1.9e-7"),
        );
        assert!(agree(ours.as_bytes(), theirs.as_bytes(), 0.0).is_err());
        assert!(agree(ours.as_bytes(), theirs.as_bytes(), 1e-10).is_err());
        assert_eq!(agree(ours.as_bytes(), theirs.as_bytes(), 2e-9).unwrap(), 3);
    }

    #[test]
    fn a_figure_a_text_or_an_absence_that_differs_is_found() {
        differs(&OURS.replace("2649.1", "2649.10001"), "closeness");
        differs(&OURS.replace("comet", "asteroid"), "kind");
        differs(&OURS.replace("\"albedo\":0.1,", ""), "albedo");
        differs(&OURS.replace("\"price\":0.0,", ""), "price");
    }

    #[test]
    fn an_item_that_is_missing_or_there_twice_is_found() {
        let (first, rest) = OURS.split_at(OURS.find('\n').unwrap() + 1);
        differs(rest, "only in ours");
        differs(&format!("{OURS}{first}"), "only in theirs");
        differs(&format!("{first}{first}{rest}"), "only in theirs");
    }
}
