//! What a crash left behind: suspicions that nobody will complete go out as they are.

use rusqlite::{Transaction, params};

use super::wanted::Wanted;
use super::{StoreError, commit, mark, rows};

/// Said behind the explanation.
const SAID: &str = "Sidewatch ended before the evidence of this alert was complete: what came after it, the genuine answer or what the \
                    device did next, is not known.";

/// Makes what is pending incomplete, with outbox rows for the sinks that want it. How many.
pub(super) fn interrupted(transaction: &Transaction<'_>, wanted: &Wanted<'_>, now: i64) -> Result<u64, StoreError> {
    let mut statement = transaction.prepare("SELECT * FROM alert WHERE state = 'pending' ORDER BY seq")?;
    let pending: Vec<rows::Kept> = statement.query_map([], rows::kept)?.collect::<Result<_, _>>()?;
    for kept in &pending {
        let record = &kept.record;
        let explanation = format!("{} {SAID}", record.explanation);
        transaction.execute(
            "UPDATE alert SET state = 'incomplete', committed = ?2, eve = ?3, explanation = ?4 WHERE seq = ?1",
            params![kept.seq, now, mark::interrupted(&record.eve), explanation.trim_start()],
        )?;
        commit::tell(transaction, kept.seq, 1, now, wanted.by(record))?;
    }
    Ok(pending.len() as u64)
}
