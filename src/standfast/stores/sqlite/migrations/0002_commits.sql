-- The journal, a row for each commit instead of one for each entry: what is written together costs one row.
-- `packed` is a JSON array of the commit's entries, each [at, kind, version, fact, hash]; `number` is the last one's.
-- A row is appended once and never touched again; every entry's hash covers the one before it (stores/codec.py).
CREATE TABLE commits (
  account TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  epoch INTEGER NOT NULL,
  packed TEXT NOT NULL,
  PRIMARY KEY (account, number)
) STRICT;

INSERT INTO commits (account, number, epoch, packed)
SELECT account, number, epoch,
  '[["' || at || '","' || kind || '",' || version || ',' || CAST(body AS TEXT) || ',"' || lower(hex(hash)) || '"]]'
FROM entries ORDER BY account, number;

DROP TABLE entries;

CREATE TRIGGER commits_are_not_changed BEFORE UPDATE ON commits BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;

CREATE TRIGGER commits_are_not_deleted BEFORE DELETE ON commits BEGIN
  SELECT RAISE(ABORT, 'journal entries are never deleted');
END;

-- Entry by entry, for whoever asks with SQL.
CREATE VIEW entries AS
SELECT
  account, number - json_array_length(packed) + 1 + key AS number, epoch,
  value ->> 0 AS at, value ->> 1 AS kind, value ->> 2 AS version, value -> 3 AS body, value ->> 4 AS hash
FROM commits, json_each(packed);
