-- The words are those of the SQLite store. What differs: many nodes write here, so there is a list of them, and the log says by itself
-- whose tokens ended, for a node that was not there.

-- The one counter. Every revocation takes its number by updating this row in the transaction that ends something (R2); whoever
-- ends anything locks it first, so commit order is number order and no two endings wait for each other.
CREATE TABLE counter (
    one      smallint PRIMARY KEY CHECK (one = 1),
    seq      bigint   NOT NULL CHECK (seq >= 0),
    everyone bigint   NOT NULL CHECK (everyone >= 0)  -- the revocation that last ended everything of everybody
) WITH (fillfactor = 10);
INSERT INTO counter (one, seq, everyone) VALUES (1, 0, 0);

CREATE TABLE users (
    id         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- never reused
    name       text    NOT NULL,                   -- as typed
    name_key   text    COLLATE "C" UNIQUE,         -- NFC and case folded; null: deleted
    hash       text    NOT NULL,                   -- PHC string
    epoch      bigint  NOT NULL DEFAULT 0,         -- the revocation that last ended everything of theirs
    enabled    boolean NOT NULL DEFAULT true,
    admin      boolean NOT NULL DEFAULT false,
    created_at bigint  NOT NULL                    -- microseconds since 1970, as all times here
);

-- The users who are not deleted, each with the epoch that counts: their own, or everybody's.
CREATE VIEW known_users AS
SELECT u.id, u.name, u.name_key, u.hash, greatest(u.epoch, c.everyone) AS epoch, u.created_at, u.enabled, u.admin
FROM users u CROSS JOIN counter c WHERE u.name_key IS NOT NULL;

CREATE TABLE revocations (
    seq     bigint PRIMARY KEY,
    target  text   NOT NULL CHECK (target IN ('session', 'user', 'others', 'everyone')),
    user_id bigint,                                         -- null: everyone
    sid     bytea  CHECK (sid IS NULL OR length(sid) = 16), -- the one that ended, or of others the one that stayed
    cause   text   NOT NULL,
    actor   bigint NOT NULL,                                -- a user's id; 0 the operator; -1 the house
    address text   NOT NULL,                                -- where from
    at      bigint NOT NULL,
    -- Of `session` and `others`: what ended, each 16 bytes of its name and 32 of its token's digest. A node must find it in its memory
    -- although the session's row may be forgotten by then.
    ended   bytea[] NOT NULL DEFAULT '{}',
    -- By which a node knows this revocation from another one that has its number in another history (R8).
    stamp   uuid   NOT NULL DEFAULT gen_random_uuid()
);
CREATE INDEX revocations_restored ON revocations (seq) WHERE cause = 'restored';

-- What was done, written in the transaction of the deed.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    deed    text   NOT NULL,
    user_id bigint,
    sid     bytea  CHECK (sid IS NULL OR length(sid) = 16),
    actor   bigint NOT NULL,
    address text   NOT NULL,
    cause   text,
    seq     bigint REFERENCES revocations (seq)
);
CREATE INDEX audit_of_user ON audit (user_id, id);

-- Live means: ended_by is null, and the epoch is the one that counts. The view `live_sessions` is the one place that says so.
CREATE TABLE sessions (
    digest     bytea  PRIMARY KEY CHECK (length(digest) = 32),
    sid        bytea  NOT NULL UNIQUE CHECK (length(sid) = 16),
    user_id    bigint NOT NULL REFERENCES users (id),
    epoch      bigint NOT NULL,
    opened_at  bigint NOT NULL,
    seen_at    bigint NOT NULL,
    expires_at bigint NOT NULL,
    agent      text   NOT NULL,
    address    text   NOT NULL,
    ended_by   bigint REFERENCES revocations (seq)
);

CREATE VIEW live_sessions AS
SELECT s.digest, s.sid, s.user_id, u.name, s.epoch, s.opened_at, s.seen_at, s.expires_at, s.agent, s.address
FROM sessions s JOIN known_users u ON u.id = s.user_id AND u.epoch = s.epoch
WHERE s.ended_by IS NULL;

CREATE INDEX sessions_live_of_user ON sessions (user_id, opened_at) WHERE ended_by IS NULL;
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_live_by_use ON sessions (seen_at) WHERE ended_by IS NULL;

-- Who answers checks: one row for each run of each node (R9). A logged table: if the server's crash emptied it, nobody would wait for
-- nodes that still hold their leases.
CREATE TABLE nodes (
    node  bytea  PRIMARY KEY CHECK (length(node) = 16),
    label text   NOT NULL,   -- for people
    lease bigint NOT NULL,   -- how often it was renewed
    heard bigint NOT NULL    -- everything up to here is applied there (R6)
) WITH (fillfactor = 10);

-- What `ready` writes.
CREATE TABLE pulse (
    one  smallint PRIMARY KEY CHECK (one = 1),
    beat smallint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO pulse (one, beat) VALUES (1, 0);

-- R1 below the program: whatever a later hand writes above, an ended session stays ended, and what was recorded stays.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE TRIGGER sessions_stay_ended BEFORE UPDATE ON sessions FOR EACH ROW
WHEN (OLD.ended_by IS NOT NULL) EXECUTE FUNCTION refuse('an ended session is not changed');

CREATE TRIGGER epochs_only_rise BEFORE UPDATE ON users FOR EACH ROW
WHEN (NEW.epoch < OLD.epoch) EXECUTE FUNCTION refuse('an epoch only rises');

CREATE TRIGGER sessions_keep_their_epoch BEFORE UPDATE ON sessions FOR EACH ROW
WHEN ((OLD.epoch, OLD.digest, OLD.sid, OLD.user_id, OLD.opened_at)
      IS DISTINCT FROM (NEW.epoch, NEW.digest, NEW.sid, NEW.user_id, NEW.opened_at))
EXECUTE FUNCTION refuse('a session keeps its epoch, its token and its owner');

CREATE TRIGGER revocations_are_not_changed BEFORE UPDATE ON revocations FOR EACH ROW
EXECUTE FUNCTION refuse('a revocation is not changed');

CREATE TRIGGER revocations_are_not_taken_back BEFORE DELETE ON revocations FOR EACH ROW
EXECUTE FUNCTION refuse('a revocation is not taken back');

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit FOR EACH ROW
EXECUTE FUNCTION refuse('the audit trail is not changed');

CREATE TRIGGER audit_is_not_taken_back BEFORE DELETE ON audit FOR EACH ROW
EXECUTE FUNCTION refuse('the audit trail is not taken back');

CREATE TRIGGER the_counter_only_rises BEFORE UPDATE ON counter FOR EACH ROW
WHEN (NEW.seq < OLD.seq OR NEW.everyone < OLD.everyone) EXECUTE FUNCTION refuse('the counter only rises');

CREATE TRIGGER the_counter_stays BEFORE DELETE ON counter FOR EACH ROW
EXECUTE FUNCTION refuse('the counter stays');

CREATE TRIGGER nothing_is_emptied BEFORE TRUNCATE ON revocations FOR EACH STATEMENT
EXECUTE FUNCTION refuse('a revocation is not taken back');

CREATE TRIGGER the_trail_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the audit trail is not taken back');

CREATE TRIGGER the_counter_is_not_emptied BEFORE TRUNCATE ON counter FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the counter stays');
