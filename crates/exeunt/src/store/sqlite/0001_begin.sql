-- The one counter. Every revocation takes its number by updating this row in the transaction that ends something (R2).
CREATE TABLE counter (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    seq      INTEGER NOT NULL CHECK (seq >= 0),
    everyone INTEGER NOT NULL CHECK (everyone >= 0)  -- the revocation that last ended everything of everybody
) STRICT;
INSERT INTO counter (one, seq, everyone) VALUES (1, 0, 0);

CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused
    name       TEXT    NOT NULL,                   -- as typed
    name_key   TEXT    UNIQUE,                     -- NFC and case folded; null: deleted
    hash       TEXT    NOT NULL,                   -- PHC string
    epoch      INTEGER NOT NULL DEFAULT 0,         -- the revocation that last ended everything of theirs
    enabled    INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    admin      INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    created_at INTEGER NOT NULL                    -- microseconds since 1970, as all times here
) STRICT;

-- The users who are not deleted, each with the epoch that counts: their own, or everybody's.
CREATE VIEW known_users AS
SELECT u.id, u.name, u.name_key, u.hash, max(u.epoch, c.everyone) AS epoch, u.created_at, u.enabled, u.admin
FROM users u JOIN counter c WHERE u.name_key IS NOT NULL;

CREATE TABLE revocations (
    seq     INTEGER PRIMARY KEY,
    target  TEXT    NOT NULL CHECK (target IN ('session', 'user', 'others', 'everyone')),
    user_id INTEGER,                                       -- null: everyone
    sid     BLOB CHECK (sid IS NULL OR length(sid) = 16),  -- the one that ended, or of others the one that stayed
    cause   TEXT    NOT NULL,
    actor   INTEGER NOT NULL,                              -- a user's id; 0 the operator; -1 the house
    address TEXT    NOT NULL,                              -- where from
    at      INTEGER NOT NULL
) STRICT;

-- What was done, written in the transaction of the deed.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    deed    TEXT    NOT NULL,
    user_id INTEGER,
    sid     BLOB CHECK (sid IS NULL OR length(sid) = 16),
    actor   INTEGER NOT NULL,
    address TEXT    NOT NULL,
    cause   TEXT,
    seq     INTEGER REFERENCES revocations (seq)
) STRICT;

CREATE INDEX audit_of_user ON audit (user_id, id);

-- Live means: ended_by is null, and the epoch is the one that counts. The view `live_sessions` is the one place that says so.
CREATE TABLE sessions (
    digest     BLOB    PRIMARY KEY CHECK (length(digest) = 32),
    sid        BLOB    NOT NULL UNIQUE CHECK (length(sid) = 16),
    user_id    INTEGER NOT NULL REFERENCES users (id),
    epoch      INTEGER NOT NULL,
    opened_at  INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    agent      TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    ended_by   INTEGER REFERENCES revocations (seq)
) STRICT, WITHOUT ROWID;

CREATE VIEW live_sessions AS
SELECT s.digest, s.sid, s.user_id, u.name, s.epoch, s.opened_at, s.seen_at, s.expires_at, s.agent, s.address
FROM sessions s JOIN known_users u ON u.id = s.user_id AND u.epoch = s.epoch
WHERE s.ended_by IS NULL;

CREATE INDEX sessions_live_of_user ON sessions (user_id, opened_at) WHERE ended_by IS NULL;
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_live_by_use ON sessions (seen_at) WHERE ended_by IS NULL;

-- R1 below the program: whatever a later hand writes above, an ended session stays ended, and what was recorded stays.
CREATE TRIGGER sessions_stay_ended BEFORE UPDATE ON sessions
WHEN OLD.ended_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an ended session is not changed'); END;

CREATE TRIGGER epochs_only_rise BEFORE UPDATE OF epoch ON users
WHEN NEW.epoch < OLD.epoch
BEGIN SELECT RAISE(ABORT, 'an epoch only rises'); END;

CREATE TRIGGER sessions_keep_their_epoch BEFORE UPDATE OF epoch, digest, sid, user_id, opened_at ON sessions
BEGIN SELECT RAISE(ABORT, 'a session keeps its epoch, its token and its owner'); END;

CREATE TRIGGER revocations_are_not_changed BEFORE UPDATE ON revocations
BEGIN SELECT RAISE(ABORT, 'a revocation is not changed'); END;

CREATE TRIGGER revocations_are_not_taken_back BEFORE DELETE ON revocations
BEGIN SELECT RAISE(ABORT, 'a revocation is not taken back'); END;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is not changed'); END;

CREATE TRIGGER audit_is_not_taken_back BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is not taken back'); END;

CREATE TRIGGER the_counter_only_rises BEFORE UPDATE ON counter
WHEN NEW.seq < OLD.seq OR NEW.everyone < OLD.everyone
BEGIN SELECT RAISE(ABORT, 'the counter only rises'); END;
