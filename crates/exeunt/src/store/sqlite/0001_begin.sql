-- The one counter. Every revocation takes its number by updating this row in the transaction that ends something (R2).
CREATE TABLE counter (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT;
INSERT INTO counter (one, seq) VALUES (1, 0);

CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused
    name       TEXT    NOT NULL,                   -- as typed
    name_key   TEXT    NOT NULL UNIQUE,            -- NFC and case folded
    hash       TEXT    NOT NULL,                   -- PHC string
    epoch      INTEGER NOT NULL DEFAULT 0,         -- the revocation that last ended everything of theirs
    created_at INTEGER NOT NULL                    -- microseconds since 1970, as all times here
) STRICT;

CREATE TABLE revocations (
    seq     INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL,
    sid     BLOB CHECK (sid IS NULL OR length(sid) = 16),  -- null: everything of the user
    cause   TEXT    NOT NULL,
    actor   INTEGER NOT NULL,                              -- a user's id; 0 the operator; -1 the house
    at      INTEGER NOT NULL
) STRICT;

-- Live means: ended_by is null, and the epoch is its user's.
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

CREATE TRIGGER the_counter_only_rises BEFORE UPDATE ON counter
WHEN NEW.seq < OLD.seq
BEGIN SELECT RAISE(ABORT, 'the counter only rises'); END;
