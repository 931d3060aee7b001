//! The rankings that an item of a message is among the best of: one more attribute behind its own.

use std::borrow::Cow;

use crate::item::decode::Malformed;
use crate::table::Ranking;

/// What stands between an item and its rankings.
const TOP: &str = ",\"top\":";

/// Appends an item's line without its end, and its rankings, one at least, behind it.
pub(crate) fn append(line: &str, rankings: impl IntoIterator<Item = Ranking>, out: &mut String) {
    out.push_str(line.strip_suffix('}').unwrap_or(line));
    for (index, ranking) in rankings.into_iter().enumerate() {
        match index {
            0 => {
                out.push_str(TOP);
                out.push_str("[\"");
            }
            _ => out.push_str(",\""),
        }
        out.push_str(ranking.name());
        out.push('"');
    }
    out.push_str("]}");
}

/// Splits an item of a message into its line and its rankings, which nothing can be mistaken for: a quote within a
/// text has a backslash before it.
pub(crate) fn split(item: &str) -> Result<(Cow<'_, str>, Vec<Ranking>), Malformed> {
    let trimmed = item.trim_ascii_end();
    let found = trimmed
        .ends_with("]}")
        .then(|| trimmed.rfind(TOP))
        .flatten();
    let Some(start) = found else {
        return Ok((Cow::Borrowed(item), Vec::new()));
    };
    let names = &trimmed[start + TOP.len()..trimmed.len() - 1];
    let names: Result<Vec<&str>, _> = serde_json::from_str(names);
    let rankings = names.ok().and_then(|names| {
        let named = |name| {
            Ranking::ALL
                .into_iter()
                .find(|ranking| ranking.name() == name)
        };
        names
            .into_iter()
            .map(named)
            .collect::<Option<Vec<Ranking>>>()
    });
    match rankings {
        Some(rankings) => Ok((Cow::Owned(format!("{}}}", &item[..start])), rankings)),
        None => Err(Malformed {
            byte: start + TOP.len(),
            problem: "no list of rankings",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_are_read_as_they_are_written() {
        let line = r#"{"designation":"433","name":"a\",\"top\":[\"dv\"]}"}"#;
        for rankings in [&Ranking::ALL[..1], &Ranking::ALL[..]] {
            let mut item = String::new();
            append(line, rankings.iter().copied(), &mut item);
            assert_eq!(split(&item), Ok((line.into(), rankings.to_vec())));
        }
        assert_eq!(split(line), Ok((line.into(), Vec::new())));
    }

    /// People may write `--by PRICE`; a message is ours. Found by fuzzing.
    #[test]
    fn a_ranking_by_another_spelling_is_none() {
        for names in [r#"["pricE"]"#, r#"["dv","DV"]"#, r#"["size"]"#, "[1]"] {
            let item = format!(r#"{{"designation":"433","top":{names}}}"#);
            let refused = split(&item).unwrap_err();
            assert_eq!(refused.problem, "no list of rankings", "{names}");
        }
    }
}
