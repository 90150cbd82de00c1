-- An ending in one way to the server and back. Whoever ends something holds the counter from the first word to the commit, and meanwhile
-- nobody else can end anything: said word by word, most of that time was the way between node and server.

-- Renewals read the log, and a lease lasts two seconds: who cannot have both tables at once comes again. Whoever ends something, or is about
-- to, is through or waits, so that nobody holds one of the tables and wants the other.
SET LOCAL lock_timeout TO 1000;
SELECT FROM counter WHERE one = 1 FOR UPDATE;
SET LOCAL lock_timeout TO 300;

-- What ends and its fact are written by one statement below, so that one names the other is seen to there. Asking for it once more cost an
-- eighth of an ending, each time.
ALTER TABLE sessions DROP CONSTRAINT sessions_ended_by_fkey;
ALTER TABLE audit DROP CONSTRAINT audit_seq_fkey;

-- The log from the number `first`, for whoever has just written that and holds the counter; its first row is the revocation before it. The
-- other nodes are woken when this is committed: they are told the last number, for whoever has heard that already, and who says it.
CREATE FUNCTION said_since(first bigint, author text)
RETURNS TABLE (said_seq bigint, said_stamp text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('exeunt_ended', (SELECT seq::text FROM counter WHERE one = 1) || ' ' || author);
    RETURN QUERY SELECT first - 1, (SELECT stamp::text FROM revocations WHERE seq = first - 1);
    RETURN QUERY SELECT seq, stamp::text FROM revocations WHERE seq >= first ORDER BY seq;
END $$;

-- Ends each of these sessions that is live, under a number of its own: a row for each, with its place among those that were named. Each is
-- named by its unique name everywhere: joined with what was found, the update would read every live session while the table has no
-- statistics yet. If this is a whole transaction it has an author, and says so as above: the row in place 0 is that of the revocation before
-- them.
CREATE FUNCTION end_sessions(sids bytea[], causes text[], actors bigint[], addresses text[], times bigint[], author text)
RETURNS TABLE (place int, said_seq bigint, said_sid bytea, said_digest bytea, said_stamp text) LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    ended boolean := false;
BEGIN
    -- A pooler may have lent another session than the one that was set. The warning that a commit may not last must be heard.
    PERFORM set_config('synchronous_commit', 'on', true), set_config('client_min_messages', 'warning', true);
    -- What is looked at by the statements after this sees every ending before it.
    SELECT seq INTO before FROM counter WHERE one = 1 FOR UPDATE;
    FOR i IN 1 .. cardinality(sids) LOOP
        RETURN QUERY WITH live AS (SELECT digest, sid, user_id FROM live_sessions WHERE sid = sids[i]),
            n AS (UPDATE counter SET seq = seq + 1 WHERE one = 1 AND EXISTS (SELECT FROM live) RETURNING seq),
            fact AS (
                INSERT INTO revocations (seq, target, user_id, sid, cause, actor, address, at, ended)
                SELECT seq, 'session', user_id, sid, causes[i], actors[i], addresses[i], times[i], ARRAY[sid || digest] FROM live, n
                RETURNING stamp),
            noted AS (
                INSERT INTO audit (at, deed, user_id, sid, actor, address, cause, seq)
                SELECT times[i], 'ended', user_id, sid, actors[i], addresses[i], causes[i], seq FROM live, n),
            done AS (UPDATE sessions s SET ended_by = seq FROM n WHERE s.sid = sids[i] AND s.ended_by IS NULL)
            SELECT i, seq, sid, digest, stamp::text FROM live, n, fact;
        ended := ended OR FOUND;
    END LOOP;
    IF ended AND author IS NOT NULL THEN
        RETURN QUERY SELECT 0, before, NULL::bytea, NULL::bytea, (SELECT stamp::text FROM revocations WHERE seq = before)
            FROM pg_notify('exeunt_ended', (SELECT seq::text FROM counter WHERE one = 1) || ' ' || author);
    END IF;
END $$;
