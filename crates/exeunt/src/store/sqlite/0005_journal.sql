-- By these two numbers a database is noticed that is older than the journal beside it, which SQLite would play onto it all the same (R8). What is brought
-- from the journal into the file ends with a closing; what is written into the next journal begins with the closing that this one follows.
ALTER TABLE counter ADD COLUMN closings INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counter ADD COLUMN journal_follows INTEGER NOT NULL DEFAULT 0;
