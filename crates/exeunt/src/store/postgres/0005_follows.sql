-- Of the session with which a change of password goes on: the one from which it was changed, and whether its token has been handed out. Whoever
-- signs out with the old token before that means this one. A node of the version before writes neither.

-- As in the migration of endings in one way: renewals wait while this waits, and whoever ends something is through or waits.
SET LOCAL lock_timeout TO 1000;
SELECT FROM counter WHERE one = 1 FOR UPDATE;
SET LOCAL lock_timeout TO 300;

ALTER TABLE sessions
    ADD COLUMN follows    bytea,
    ADD COLUMN handed_out boolean NOT NULL DEFAULT true;
