//! What is kept and told to nobody: who wanted that, why, and until when.

use rusqlite::{Connection, Row, Transaction, params};

use super::wanted::holds;
use super::{Kind, Record, StoreError};
use crate::rules::network::Network;

/// Mutes that are asked for each record; those made last count.
const MUTES: u32 = 1_000;

/// What is muted. All that is given must fit; at least one must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Muted {
    /// One alert, by its whole id: it counts for one that is pending.
    pub alert_id: Option<String>,
    /// EVE name of the mechanism.
    pub mechanism: Option<String>,
    /// Address of the victim, or a network (`10.0.0.0/8`).
    pub client: Option<String>,
    /// Address that forgeries claim to be from, or a network.
    pub server: Option<String>,
    /// What alerts of one storm have in common.
    pub storm_key: Option<String>,
}

/// A mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Its number; 0 before it is kept.
    pub number: i64,
    /// Who wanted it.
    pub who: String,
    /// Why.
    pub why: String,
    /// Since when, Unix milliseconds.
    pub made: i64,
    /// Until when, Unix milliseconds.
    pub until: i64,
    /// What.
    pub muted: Muted,
}

/// The mutes that hold at a moment.
pub(super) struct Mutes(Vec<Mute>);

impl Mutes {
    pub(super) fn at(connection: &Connection, now: i64) -> Result<Self, StoreError> {
        let mut statement = connection.prepare_cached("SELECT * FROM mute WHERE until > ?1 ORDER BY number DESC LIMIT ?2")?;
        let mutes = statement.query_map(params![now, MUTES], read)?.collect::<Result<_, _>>()?;
        Ok(Self(mutes))
    }
    /// The number of the mute that fits.
    pub(super) fn of(&self, record: &Record) -> Option<i64> {
        self.0.iter().find(|mute| record.kind == Kind::Alert && mute.muted.fits(record)).map(|mute| mute.number)
    }
}

impl Muted {
    /// Whether the text is an address or a network.
    #[must_use]
    pub fn is_network(text: &str) -> bool {
        Network::parse(text.trim()).is_some()
    }
    fn fits(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let lies_in = |wanted: &Option<String>, found: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted == found || Network::parse(wanted.trim()).is_some_and(|network| holds(network, found)))
        };
        *self != Self::default()
            && is(&self.alert_id, &record.id)
            && is(&self.mechanism, &record.mechanism)
            && is(&self.storm_key, &record.storm_key)
            && lies_in(&self.client, &record.client)
            && lies_in(&self.server, &record.server)
    }
}

/// Keeps a mute. Its number.
pub(super) fn add(transaction: &Transaction<'_>, mute: &Mute) -> Result<i64, StoreError> {
    let Muted { alert_id, mechanism, client, server, storm_key } = &mute.muted;
    transaction.execute(
        "INSERT INTO mute (who, why, made, until, alert_id, mechanism, client, server, storm_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![mute.who, mute.why, mute.made, mute.until, alert_id, mechanism, client, server, storm_key],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// All mutes, the expired too, by number.
pub(super) fn all(connection: &Connection) -> Result<Vec<Mute>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM mute ORDER BY number")?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Lets a mute end at `now`; false when there is none of that number that still holds.
pub(super) fn end(transaction: &Transaction<'_>, number: i64, now: i64) -> Result<bool, StoreError> {
    Ok(transaction.execute("UPDATE mute SET until = ?2 WHERE number = ?1 AND until > ?2", params![number, now])? > 0)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Mute> {
    Ok(Mute {
        number: row.get("number")?,
        who: row.get("who")?,
        why: row.get("why")?,
        made: row.get("made")?,
        until: row.get("until")?,
        muted: Muted {
            alert_id: row.get("alert_id")?,
            mechanism: row.get("mechanism")?,
            client: row.get("client")?,
            server: row.get("server")?,
            storm_key: row.get("storm_key")?,
        },
    })
}
