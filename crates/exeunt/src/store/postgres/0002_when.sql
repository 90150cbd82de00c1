-- For people who look at the list of nodes: since when a node is there, and when it was last heard of, by this server's clock. Nothing is decided
-- by these: how long a node may believe is a matter of its own clock (R3), and who is silent of the clock of who looks (R9).

-- Renewals wait while this waits, and a lease lasts two seconds: who cannot have the table within one comes again.
SET LOCAL lock_timeout TO 1000;

ALTER TABLE nodes
    ADD COLUMN joined_at  timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN renewed_at timestamptz NOT NULL DEFAULT now();

-- By a trigger, so that a node of the version before is dated, too.
CREATE FUNCTION date_renewal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.renewed_at := clock_timestamp(); RETURN NEW; END $$;

CREATE TRIGGER renewals_are_dated BEFORE UPDATE ON nodes FOR EACH ROW
WHEN (NEW.lease <> OLD.lease) EXECUTE FUNCTION date_renewal();
