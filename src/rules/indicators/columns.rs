//! Lists as CSV: the columns that hold indicators are known by their header, or by what stands in them.

use std::io::Read;

use super::entry::{Wanted, entry};
use super::gather::Gathering;
use super::misp;

/// Rows that are looked at before a column is chosen.
const SAMPLE: usize = 50;
/// Headers of columns that hold indicators.
const VALUES: [(&str, Wanted); 20] = [
    ("indicator", Wanted::Any),
    ("indicator_value", Wanted::Any),
    ("value", Wanted::Any),
    ("ioc", Wanted::Any),
    ("ioc_value", Wanted::Any),
    ("observable", Wanted::Any),
    ("domain", Wanted::Host),
    ("domain_name", Wanted::Host),
    ("domain-name", Wanted::Host),
    ("fqdn", Wanted::Host),
    ("host", Wanted::Host),
    ("hostname", Wanted::Host),
    ("url", Wanted::Url),
    ("uri", Wanted::Url),
    ("ip", Wanted::Address),
    ("ip_address", Wanted::Address),
    ("ipaddress", Wanted::Address),
    ("dst_ip", Wanted::Address),
    ("cidr", Wanted::Address),
    ("network", Wanted::Address),
];
/// Headers of the column that says what the value is.
const TYPES: [&str; 5] = ["type", "indicator_type", "ioc_type", "observable_type", "indicator type"];

/// What a table's columns hold.
#[derive(Debug, Default)]
struct Columns {
    values: Vec<(usize, Wanted)>,
    kind: Option<usize>,
    to_ids: Option<usize>,
}

/// Reads a table to its end.
///
/// # Errors
/// A sentence, when it cannot be read on.
pub(super) fn read(input: impl Read, delimiter: u8, gathering: &mut Gathering) -> Result<(), String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).comment(Some(b'#')).from_reader(input);
    let mut record = csv::ByteRecord::new();
    let mut waiting: Vec<(u64, Vec<String>)> = Vec::new();
    let mut columns: Option<Columns> = None;
    let mut is_first = true;
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|error| error.to_string())?;
        if more {
            let line = record.position().map_or(0, csv::Position::line);
            let cells: Vec<String> = record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
            if std::mem::take(&mut is_first) && headed(&cells).is_some() {
                columns = headed(&cells);
                continue;
            }
            match &columns {
                Some(columns) => columns.take(&cells, line, gathering),
                None => waiting.push((line, cells)),
            }
        }
        if columns.is_none() && (!more || waiting.len() >= SAMPLE) {
            let chosen = by_content(&waiting);
            for (line, cells) in std::mem::take(&mut waiting) {
                chosen.take(&cells, line, gathering);
            }
            columns = Some(chosen);
        }
        if !more {
            return Ok(());
        }
    }
}

/// The columns by their header, if this is one.
fn headed(cells: &[String]) -> Option<Columns> {
    let names: Vec<String> = cells.iter().map(|cell| cell.trim_start_matches('\u{feff}').to_ascii_lowercase()).collect();
    let values: Vec<(usize, Wanted)> = names
        .iter()
        .enumerate()
        .filter_map(|(column, name)| VALUES.iter().find(|(known, _)| known == name).map(|(_, wanted)| (column, *wanted)))
        .collect();
    let kind = names.iter().position(|name| TYPES.contains(&name.as_str()));
    let to_ids = names.iter().position(|name| name == "to_ids");
    (!values.is_empty()).then_some(Columns { values, kind, to_ids })
}

/// The column in which most cells are indicators; the first of several.
fn by_content(rows: &[(u64, Vec<String>)]) -> Columns {
    let width = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0).min(64);
    let score =
        |column: usize| rows.iter().filter(|(_, cells)| cells.get(column).is_some_and(|cell| entry(cell, Wanted::Any).is_ok())).count();
    let best = (0..width).max_by_key(|column| (score(*column), std::cmp::Reverse(*column))).unwrap_or(0);
    Columns { values: vec![(best, Wanted::Any)], ..Columns::default() }
}

impl Columns {
    fn take(&self, cells: &[String], line: u64, gathering: &mut Gathering) {
        let cell = |column: usize| cells.get(column).map(String::as_str).filter(|cell| !cell.is_empty());
        if cells.iter().all(String::is_empty) {
            return;
        }
        let kind = self.kind.and_then(cell);
        let to_ids = self.to_ids.and_then(cell).map(|flag| flag != "0" && !flag.eq_ignore_ascii_case("false"));
        let mut any = false;
        for (column, wanted) in &self.values {
            let Some(value) = cell(*column) else { continue };
            any = true;
            match kind.map(str::to_ascii_lowercase) {
                Some(kind) if misp::wanted(&kind).is_some() || to_ids.is_some() => {
                    misp::attribute(&kind, value, to_ids, (line, &mut *gathering));
                }
                Some(kind) if !is_of_network(&kind) => gathering.skip(&kind),
                _ => gathering.take(value, *wanted, line),
            }
        }
        if !any {
            gathering.skip("rows without a value");
        }
    }
}

/// Names that other programs give the types of the network.
fn is_of_network(kind: &str) -> bool {
    ["domain", "host", "fqdn", "url", "ip", "cidr", "network", "address"].iter().any(|word| kind.contains(word)) && !kind.contains("mail")
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;

    #[test]
    fn columns_are_known_by_their_header() {
        let text = "id,Type,Indicator,comment\n1,domain,evil[.]example,\"seen, twice\"\n2,IPv4,198.51.100.7,\n3,MD5,d41d8cd98f00b204e9800998ecf8427e,\n";
        let loaded = read_text("feed.csv", text.as_bytes());
        let tally = &loaded.tallies()[0];
        assert_eq!((tally.taken, tally.skipped.get("md5"), loaded.complaints.len()), ([1, 0, 1, 0], Some(&1), 0));
    }

    #[test]
    fn columns_are_known_by_what_stands_in_them() {
        let text = "# id, date, url\n\"77\";\"2024-01-01\";\"http://evil.example/a\";\"malware\"\n\"78\";\"2024-01-02\";\"http://bad.example/b\";\"x.y\"\n";
        let loaded = read_text("urls.csv", text.as_bytes());
        assert_eq!((loaded.tallies()[0].taken, loaded.complaints.len()), ([0, 2, 0, 0], 0));
    }

    #[test]
    fn several_columns_may_hold_indicators_and_bad_cells_are_told() {
        let loaded = read_text("feed.csv", b"domain,ip\nevil.example,198.51.100.7\n,198.51.100.8\nnonsense,\n");
        assert_eq!(loaded.tallies()[0].taken, [1, 0, 2, 0]);
        assert_eq!(loaded.complaints.len(), 1);
        assert_eq!(loaded.complaints[0].line, 4);
    }
}
