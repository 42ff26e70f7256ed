-- What was said of a call's answer afterwards, by the one who used it.
CREATE TABLE feedback (
  call INTEGER NOT NULL,     -- calls.n
  n INTEGER NOT NULL,        -- from 0
  at INTEGER NOT NULL,
  key TEXT,                  -- id of the key that it came by; NULL: none
  score REAL,                -- 0 (wrong) to 1 (right); NULL: not given
  correction TEXT,           -- JSON: what would have been right; NULL: not given
  comment TEXT,
  PRIMARY KEY (call, n)
) STRICT, WITHOUT ROWID;
