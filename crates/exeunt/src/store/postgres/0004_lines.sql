-- Nodes that tell each other directly what has ended, sealed with a key that each leaves here for as long as one run of it lasts. A node of the
-- version before has none, and hears as ever.

-- As in the migration before: renewals wait while this waits.
SET LOCAL lock_timeout TO 300;

ALTER TABLE nodes
    ADD COLUMN line     text,
    ADD COLUMN line_key bytea CHECK (length(line_key) = 32);

-- Ends each of these sessions that is live, under a number of its own: a row for each, with its place among those that were named. The row in
-- place 0 is that of the revocation before them, and each row in place -1 has the name of somebody who must hear of it: a node that joins takes
-- the counter first (R9), so these are all there are when this is committed. With an author, the others are woken. Said in plain statements: one
-- that does all of it, as in the migration before, costs half as much again.
CREATE FUNCTION end_among(sids bytea[], causes text[], actors bigint[], addresses text[], times bigint[], author text)
RETURNS TABLE (place int, said_seq bigint, said_sid bytea, said_digest bytea, said_stamp text) LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    last bigint;
    owner bigint;
BEGIN
    -- In any other, what is looked at below would be as it was before the counter was had, and somebody who joined meanwhile not be named.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an ending is not said in isolation %', current_setting('transaction_isolation');
    END IF;
    -- A pooler may have lent another session than the one that was set. The warning that a commit may not last must be heard.
    PERFORM set_config('synchronous_commit', 'on', true), set_config('client_min_messages', 'warning', true);
    -- What is looked at by the statements after this sees every ending and every joining before it.
    SELECT seq INTO before FROM counter WHERE one = 1 FOR UPDATE;
    last := before;
    FOR i IN 1 .. cardinality(sids) LOOP
        UPDATE sessions s SET ended_by = last + 1 FROM known_users k
            WHERE s.sid = sids[i] AND s.ended_by IS NULL AND k.id = s.user_id AND k.epoch = s.epoch
            RETURNING s.digest, s.user_id INTO said_digest, owner;
        CONTINUE WHEN NOT FOUND;
        last := last + 1;
        INSERT INTO revocations (seq, target, user_id, sid, cause, actor, address, at, ended)
            VALUES (last, 'session', owner, sids[i], causes[i], actors[i], addresses[i], times[i], ARRAY[sids[i] || said_digest])
            RETURNING stamp::text INTO said_stamp;
        INSERT INTO audit (at, deed, user_id, sid, actor, address, cause, seq)
            VALUES (times[i], 'ended', owner, sids[i], actors[i], addresses[i], causes[i], last);
        place := i; said_seq := last; said_sid := sids[i];
        RETURN NEXT;
    END LOOP;
    IF last > before THEN
        UPDATE counter SET seq = last WHERE one = 1;
        RETURN QUERY SELECT 0, before, NULL::bytea, NULL::bytea, (SELECT stamp::text FROM revocations WHERE seq = before)
            UNION ALL SELECT -1, heard, node, NULL::bytea, NULL::text FROM nodes;
        IF author IS NOT NULL THEN
            PERFORM pg_notify('exeunt_ended', last || ' ' || author);
        END IF;
    END IF;
END $$;
