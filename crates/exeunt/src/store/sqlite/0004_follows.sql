-- Of the session with which a change of password goes on: the one from which it was changed, and whether its token has been handed out. Whoever
-- signs out with the old token before that means this one.
ALTER TABLE sessions ADD COLUMN follows BLOB CHECK (follows IS NULL OR length(follows) = 16);
ALTER TABLE sessions ADD COLUMN handed_out INTEGER NOT NULL DEFAULT 1 CHECK (handed_out IN (0, 1));
