//! The file format of API keys.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-file-format.html>

use pagoda_protocol::ApiError;

use super::Wanted;
use crate::edit::bad_request;
use crate::table::Texts;

/// Keys in one file.
const ROWS_MAX: usize = 10_000;

/// A row: a key, and the plans that it belongs to.
pub(super) struct Row {
    pub(super) wanted: Wanted,
    pub(super) plans: Vec<String>,
}

/// Reads a file: a head that names the columns, then a key a line.
pub(super) fn read(body: &[u8]) -> Result<Vec<Row>, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| bad_request("The API key file is not UTF-8"))?;
    let mut lines = records(text)?.into_iter();
    let head = lines.next().ok_or_else(|| bad_request("The API key file is empty"))?;
    let head: Vec<String> = head.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    const KNOWN: [&str; 5] = ["name", "key", "description", "enabled", "usageplanids"];
    if let Some(other) = head.iter().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(bad_request(format!("Invalid column in the API key file: {other}")));
    }
    if !head.iter().any(|name| name == "name") || !head.iter().any(|name| name == "key") {
        return Err(bad_request("The API key file must have the columns name and key"));
    }
    let row = |line: Vec<String>| {
        let of = |name: &str| {
            let at = head.iter().position(|column| column == name)?;
            line.get(at).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let wanted = Wanted {
            name: of("name").unwrap_or_default(),
            description: of("description"),
            customer_id: None,
            is_enabled: of("enabled").is_none_or(|text| text.eq_ignore_ascii_case("true")),
            value: of("key"),
            tags: Texts::new(),
        };
        let plans = of("usageplanids").unwrap_or_default();
        let plans = plans.split(',').map(str::trim).filter(|plan| !plan.is_empty()).map(str::to_owned);
        Row { wanted, plans: plans.collect() }
    };
    let rows: Vec<Row> =
        lines.filter(|line| line.iter().any(|value| !value.trim().is_empty())).map(row).collect();
    if rows.len() > ROWS_MAX {
        return Err(bad_request(format!("The API key file has more than {ROWS_MAX} keys")));
    }
    Ok(rows)
}

/// Lines of values with commas between them; a value in double quotes may have commas, line ends and,
/// doubled, quotes in it (RFC 4180).
fn records(text: &str) -> Result<Vec<Vec<String>>, ApiError> {
    let mut records = vec![vec![String::new()]];
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        let Some(record) = records.last_mut() else { break };
        let Some(value) = record.last_mut() else { break };
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => value.extend(letters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => record.push(String::new()),
            '\r' if !is_quoted => {}
            '\n' if !is_quoted => records.push(vec![String::new()]),
            other => value.push(other),
        }
    }
    if is_quoted {
        return Err(bad_request("A quoted value of the API key file does not end"));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_documented() {
        let text = "Name,key,description,Enabled,usageplanIds\nA,aaaaaaaaaaaaaaaaaaaa,\"d, \"\"e\"\"\",TRUE,\"p1,p2\"\r\n\nB,b,,false,\n";
        let rows = read(text.as_bytes()).unwrap();
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.wanted.name.as_str(), row.wanted.is_enabled, row.plans.len()))
            .collect();
        assert_eq!(seen, [("A", true, 2), ("B", false, 0)]);
        assert_eq!(rows[0].wanted.description.as_deref(), Some("d, \"e\""));
        for wrong in ["", "name\nx", "name,key,what\n", "name,key\n\"a"] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
