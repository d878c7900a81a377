//! Many alerts: aligned columns for people, EVE lines for programs.

use std::io::{self, ErrorKind, Write};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{Format, Refusal, is_coloured, print, printable, when};
use crate::store::{Archive, Kept, Query, State};

/// Alerts that are listed unless it is said otherwise.
const USUAL_LIMIT: u32 = 50;

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    filter: FilterArguments,
    /// Only suspicions whose evidence is awaited
    #[arg(long)]
    pending: bool,
    /// Repeats of one attack too, which its first alert counts
    #[arg(long)]
    repeats: bool,
    /// The last so many; 0 for all
    #[arg(long, value_name = "NUMBER", default_value_t = USUAL_LIMIT)]
    limit: u32,
    /// How
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    filter: FilterArguments,
    /// How
    #[arg(long, value_enum, default_value_t = ExportFormat::Eve)]
    format: ExportFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// Suricata's EVE JSON, one object a line
    Eve,
}

#[derive(Args)]
struct FilterArguments {
    /// Those since a time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Those at least so severe: 1 only high, 2 also medium, 3 all
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=3))]
    severity: Option<u8>,
    /// Those done in this way (http_redirect, dns_answer, ...)
    #[arg(long, value_name = "NAME")]
    mechanism: Option<String>,
    /// Those to this device
    #[arg(long, value_name = "ADDRESS")]
    client: Option<String>,
}

impl FilterArguments {
    fn query(self) -> Result<Query, Refusal> {
        let since = self.since.map(|text| when::moment(&text, Timestamp::now(), false)).transpose().map_err(Refusal::Words)?;
        let since = since.map(Timestamp::as_microsecond);
        Ok(Query { since, severity: self.severity, mechanism: self.mechanism, client: self.client, ..Query::default() })
    }
}

impl List {
    pub(super) fn run(self, archive: &Archive) -> Result<(), Refusal> {
        let limit = (self.limit > 0).then_some(self.limit);
        let query = Query { is_pending: self.pending, with_repeats: self.repeats, limit, ..self.filter.query()? };
        match self.format {
            Format::Json => lines(archive, &query),
            Format::Text => table(archive, &query),
        }
    }
}

impl Export {
    pub(super) fn run(self, archive: &Archive) -> Result<(), Refusal> {
        let ExportFormat::Eve = self.format;
        lines(archive, &Query { with_repeats: true, ..self.filter.query()? })
    }
}

/// EVE lines, one after the other, however many.
fn lines(archive: &Archive, query: &Query) -> Result<(), Refusal> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    archive.each(query, |kept| {
        written = writeln!(out, "{}", kept.eve());
        written.is_ok()
    })?;
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Refusal::Words(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

fn table(archive: &Archive, query: &Query) -> Result<(), Refusal> {
    let mut rows: Vec<([String; 7], u8)> = Vec::new();
    let heads = ["TIME (UTC)", "SEVERITY", "ID", "DEVICE", "MECHANISM", "COUNT", "WHAT"].map(str::to_owned);
    archive.each(query, |kept| {
        rows.push((row(&kept), kept.record.severity));
        true
    })?;
    if rows.is_empty() {
        return print("No alert.\n");
    }
    let mut widths = heads.each_ref().map(|head| head.chars().count());
    for (row, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let colour = is_coloured();
    let mut text = aligned(&heads, &widths);
    for (row, severity) in &rows {
        let line = aligned(row, &widths);
        let line = line.trim_end();
        text += &match (colour, severity) {
            (true, 0 | 1) => format!("\u{1b}[31m{line}\u{1b}[0m\n"),
            (true, 2) => format!("\u{1b}[33m{line}\u{1b}[0m\n"),
            _ => format!("{line}\n"),
        };
    }
    if query.limit.is_some_and(|limit| rows.len() as u64 == u64::from(limit)) {
        text += &format!("The last {}; --limit 0 shows all.\n", rows.len());
    }
    print(&text)
}

fn row(kept: &Kept) -> [String; 7] {
    let record = &kept.record;
    let severity = match record.severity {
        0 | 1 => "high",
        2 => "medium",
        _ => "low",
    };
    let mark = match (kept.state, kept.muted) {
        (State::Pending, _) => " (pending)",
        (_, Some(_)) => " (muted)",
        (State::Incomplete, None) => " (incomplete)",
        (State::Complete, None) if kept.is_repeat => " (repeat)",
        (State::Complete, None) => "",
    };
    let what = format!("{}{mark}", record.headline);
    let cells = [
        when::plain(record.at),
        severity.to_owned(),
        record.id.clone(),
        record.client.clone(),
        record.mechanism.clone(),
        kept.count.to_string(),
        what,
    ];
    cells.map(|cell| printable(&cell))
}

fn aligned(cells: &[String; 7], widths: &[usize; 7]) -> String {
    let line: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    format!("{}\n", line.join("  ").trim_end())
}
