ALTER TABLE calls ADD COLUMN key TEXT;    -- id of the caller's key; NULL: none
ALTER TABLE calls ADD COLUMN user TEXT;   -- whom the caller asked for, in its words
