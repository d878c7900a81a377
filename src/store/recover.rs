//! What a crash left behind: suspicions that nobody will complete go out as they are.

use rusqlite::Transaction;

use super::commit::{self, Tally, Terms};
use super::{Record, State, StoreError, mark, rows};

/// Said behind the explanation.
const SAID: &str = "Sidewatch ended before the evidence of this alert was complete: what came after it, the genuine answer or what the \
                    device did next, is not known.";

/// Commits what is pending as incomplete.
pub(super) fn interrupted(transaction: &Transaction<'_>, terms: &Terms<'_>) -> Result<Tally, StoreError> {
    let mut statement = transaction.prepare("SELECT * FROM alert WHERE state = 'pending' ORDER BY seq")?;
    let pending: Vec<rows::Kept> = statement.query_map([], rows::kept)?.collect::<Result<_, _>>()?;
    let mut tally = Tally::default();
    for rows::Kept { record, .. } in pending {
        let explanation = format!("{} {SAID}", record.explanation).trim_start().to_owned();
        let record = Record { explanation, eve: mark::interrupted(&record.eve), ..record };
        commit::commit(transaction, &record, State::Incomplete, terms, &mut tally)?;
    }
    Ok(tally)
}
