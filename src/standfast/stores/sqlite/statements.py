"""Every SQL statement on the ledger, by name. Written by hand: each is one thing the ledger may do."""

APPEND = """
INSERT INTO commits (account, number, epoch, packed)
SELECT ?1, ?2, ?3, ?4 FROM leases WHERE account = ?1 AND epoch = ?3 AND holder <> ''
"""
"""Appends nothing when the epoch is not the lease's: the fence and the write are one statement."""

LAST_COMMIT = "SELECT number, epoch, packed FROM commits WHERE account = ? ORDER BY number DESC LIMIT 1"
COMMITS = "SELECT number, epoch, packed FROM commits WHERE account = ? AND number > ? ORDER BY number LIMIT ?"
"""Those with an entry after this number, the whole of the first one included."""
ACCOUNTS = "SELECT account FROM leases UNION SELECT DISTINCT account FROM requests ORDER BY account"

LEASED = "SELECT account FROM leases"
LEASE = "SELECT epoch, holder, expires FROM leases WHERE account = ?"
TAKE_LEASE = """
INSERT INTO leases (account, epoch, holder, expires) VALUES (?1, 1, ?2, ?3)
ON CONFLICT (account) DO UPDATE SET epoch = epoch + 1, holder = ?2, expires = ?3
RETURNING epoch
"""
RENEW_LEASE = "UPDATE leases SET expires = ?3 WHERE account = ?1 AND epoch = ?2 AND holder <> ''"
RELEASE_LEASE = "UPDATE leases SET holder = '', expires = '' WHERE account = ?1 AND epoch = ?2"

TAKE_SLOT = """
INSERT INTO unsettled (account, position, instrument, hedge, role, id) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET id = id RETURNING id
"""
"""Returns who has the slot now: the one asked for, or the one before it."""
UNSETTLED = "SELECT id FROM unsettled WHERE account = ?"
FREE_SLOT = "DELETE FROM unsettled WHERE account = ? AND id = ?"
FREE_POSITION = "DELETE FROM unsettled WHERE account = ? AND position = ?"

SAVE_BOOK = "INSERT OR REPLACE INTO books (account, number, shape, digest, body) VALUES (?, ?, ?, ?, ?)"
DROP_BOOKS = """
DELETE FROM books WHERE account = ?1
AND number NOT IN (SELECT number FROM books WHERE account = ?1 ORDER BY number DESC LIMIT ?2)
"""
BOOKS = "SELECT number, digest, body FROM books WHERE account = ? AND shape = ? ORDER BY number DESC"

PUT_REQUEST = """
INSERT INTO requests (id, account, verb, arguments, by, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
WAITING_REQUESTS = """
SELECT id, account, verb, arguments, by, at FROM requests WHERE account = ? AND taken = 0 ORDER BY place
"""
TAKE_REQUEST = "UPDATE requests SET taken = 1 WHERE id = ?"
FINISH_REQUEST = "UPDATE requests SET taken = 1, ok = ?2, detail = ?3 WHERE id = ?1 AND ok IS NULL"
OUTCOME = "SELECT ok, detail FROM requests WHERE id = ? AND ok IS NOT NULL"
REQUEST = "SELECT id, account, verb, arguments, by, at, taken, ok, detail FROM requests WHERE id = ?"
