-- Keys of callers of llmx serve. Of a key's text only the SHA-256 stands here. A key
-- that was revoked stays, so that calls and budgets keep its name.
CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  tenant TEXT,              -- whose cache; NULL: the key's own
  prompts TEXT,             -- a JSON list of what it may ask; NULL: all
  models TEXT,              -- likewise
  rpm INTEGER NOT NULL,     -- 0: no bound
  tpm INTEGER NOT NULL,
  concurrency INTEGER NOT NULL,
  usd INTEGER NOT NULL,     -- nano-dollars; 0: no bound
  per TEXT,                 -- day or month
  admin INTEGER NOT NULL,   -- 1: it may set labels
  created INTEGER NOT NULL,
  expires INTEGER,
  revoked INTEGER
) STRICT;
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked IS NULL;

-- Servers look at the count to see that keys have changed, whoever changed them.
CREATE TABLE key_changes (n INTEGER NOT NULL) STRICT;
INSERT INTO key_changes VALUES (0);
CREATE TRIGGER keys_added AFTER INSERT ON keys BEGIN UPDATE key_changes SET n = n + 1; END;
CREATE TRIGGER keys_changed AFTER UPDATE ON keys BEGIN UPDATE key_changes SET n = n + 1; END;
CREATE TRIGGER keys_removed AFTER DELETE ON keys BEGIN UPDATE key_changes SET n = n + 1; END;
