-- Schema 1. Times: `at` and `last_at` are packet times in Unix microseconds, all others Unix milliseconds.

CREATE TABLE mute (
  number     INTEGER PRIMARY KEY,
  who        TEXT NOT NULL,
  why        TEXT NOT NULL,
  made       INTEGER NOT NULL,
  until      INTEGER NOT NULL,
  alert_id   TEXT,
  mechanism  TEXT,
  client     TEXT,
  server     TEXT,
  storm_key  TEXT,
  CHECK (coalesce(alert_id, mechanism, client, server, storm_key) IS NOT NULL)
) STRICT;

CREATE TABLE alert (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  kind         TEXT NOT NULL CHECK (kind IN ('alert', 'heartbeat', 'blind', 'seeing', 'test')),
  state        TEXT NOT NULL CHECK (state IN ('pending', 'complete', 'incomplete')),
  at           INTEGER NOT NULL,
  committed    INTEGER NOT NULL,
  severity     INTEGER NOT NULL,
  mechanism    TEXT NOT NULL,
  verdict      TEXT NOT NULL,
  client       TEXT NOT NULL,
  server       TEXT NOT NULL,
  headline     TEXT NOT NULL,
  explanation  TEXT NOT NULL,
  storm_key    TEXT NOT NULL,
  eve          TEXT NOT NULL,
  -- Alerts that this one stands for, itself included, and how many of them were not kept.
  count        INTEGER NOT NULL DEFAULT 1,
  left_out     INTEGER NOT NULL DEFAULT 0,
  last_at      INTEGER NOT NULL,
  -- The first alert of the storm that this one repeats.
  storm        INTEGER REFERENCES alert (seq) ON DELETE CASCADE,
  muted        INTEGER REFERENCES mute (number)
) STRICT;

CREATE INDEX alert_storms ON alert (storm_key, seq) WHERE storm IS NULL AND storm_key <> '';
CREATE INDEX alert_repeats ON alert (storm) WHERE storm IS NOT NULL;
CREATE INDEX alert_pending ON alert (seq) WHERE state = 'pending';
CREATE INDEX alert_muted ON alert (muted) WHERE muted IS NOT NULL;
CREATE INDEX alert_age ON alert (committed);

CREATE TABLE outbox (
  row            INTEGER PRIMARY KEY AUTOINCREMENT,
  sink           TEXT NOT NULL,
  alert          INTEGER NOT NULL REFERENCES alert (seq) ON DELETE CASCADE,
  -- 1 for the first telling, then the count that the storm had reached.
  told           INTEGER NOT NULL,
  state          TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts       INTEGER NOT NULL DEFAULT 0,
  due            INTEGER NOT NULL DEFAULT 0,
  made           INTEGER NOT NULL,
  ended          INTEGER,
  last_error     TEXT,
  last_error_at  INTEGER,
  UNIQUE (alert, sink, told)
) STRICT;

CREATE INDEX outbox_waiting ON outbox (sink, row) WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (sink, row) WHERE state = 'dead';

CREATE TABLE sink (
  name           TEXT PRIMARY KEY,
  last_success   INTEGER,
  last_error     TEXT,
  last_error_at  INTEGER
) STRICT, WITHOUT ROWID;
