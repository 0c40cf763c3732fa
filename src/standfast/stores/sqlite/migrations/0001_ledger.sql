-- The journal. A row is appended once and never touched again; `hash` covers the row before it (stores/codec.py).
CREATE TABLE entries (
  account TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  epoch INTEGER NOT NULL,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;

CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries BEGIN
  SELECT RAISE(ABORT, 'journal entries are never deleted');
END;

-- One row per account, for ever: the epoch only grows. An empty holder means that nobody writes.
CREATE TABLE leases (
  account TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  holder TEXT NOT NULL,
  expires TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Intents without an outcome: one for each position, holding and role (stores/unsettled.py).
CREATE TABLE unsettled (
  account TEXT NOT NULL,
  position TEXT NOT NULL,
  instrument TEXT NOT NULL,
  hedge TEXT NOT NULL,
  role TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (account, position, instrument, hedge, role)
) STRICT, WITHOUT ROWID;

-- Folded states. Each can be thrown away: the journal is the truth.
CREATE TABLE books (
  account TEXT NOT NULL,
  number INTEGER NOT NULL,
  shape TEXT NOT NULL,
  digest BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (account, number)
) STRICT;

-- Operators' acts: the only table a process without the lease may write.
CREATE TABLE requests (
  place INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  verb TEXT NOT NULL,
  arguments TEXT NOT NULL,
  by TEXT NOT NULL,
  at TEXT NOT NULL,
  taken INTEGER NOT NULL DEFAULT 0,
  ok INTEGER,
  detail TEXT
) STRICT;

CREATE INDEX requests_waiting ON requests (account, place) WHERE taken = 0;
