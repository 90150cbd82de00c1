-- What this store's mark is: the file beside it that a copy of the folder, or an older database put in its place, cannot have (R8).
CREATE TABLE mark (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    name  TEXT    NOT NULL,  -- 32 hexadecimal digits, random
    inode INTEGER NOT NULL,  -- of the file; 0 where the system has none
    born  INTEGER NOT NULL   -- when the file was made, in nanoseconds since 1970; 0 where the file system does not know
) STRICT;
