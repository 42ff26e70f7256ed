-- Keys are packed integers, so that all rows of a run lie together, are appended
-- and never need an index by run:
--   results.id = runs.n << 32 | number within the run
--   calls.n    = runs.n << 32 | number within the run; runs.n is 0 outside of runs
--   result_groups.n = runs.n << 16 | number within the run
-- Times are Unix nanoseconds (UTC), durations nanoseconds, money nano-USD. An
-- empty text and an unset time are NULL.

CREATE TABLE runs (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  started INTEGER,
  ended INTEGER,
  state TEXT NOT NULL,
  command TEXT,
  replies TEXT,
  version TEXT,
  filtered INTEGER NOT NULL,
  word TEXT,
  exit INTEGER NOT NULL,
  failure TEXT,              -- JSON: class, status, message
  spent INTEGER NOT NULL,
  spent_known INTEGER NOT NULL,
  warnings TEXT,             -- JSON: texts
  plan TEXT,                 -- JSON: one object a group
  verdict TEXT               -- JSON
) STRICT;

-- What all results of one suite on one model under one treatment share.
CREATE TABLE result_groups (
  n INTEGER PRIMARY KEY,
  suite TEXT,
  model TEXT,
  treatment TEXT,
  prompt TEXT,
  prompt_version TEXT,
  prompt_hash TEXT
) STRICT;

CREATE TABLE results (
  id INTEGER PRIMARY KEY,
  grp INTEGER NOT NULL,      -- result_groups.n
  "case" TEXT NOT NULL,
  repeat INTEGER NOT NULL,
  status TEXT NOT NULL,
  digest TEXT,
  input_hash TEXT,
  criteria_hash TEXT,
  tags TEXT,                 -- JSON: texts
  answered TEXT,
  valid TEXT,
  finish TEXT,
  call TEXT,                 -- calls.id
  turns INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  cost_known INTEGER NOT NULL,
  paid INTEGER NOT NULL,
  paid_known INTEGER NOT NULL,
  queue INTEGER NOT NULL,
  service INTEGER NOT NULL,
  first_token INTEGER NOT NULL,
  stored_by TEXT,
  stored_at INTEGER,
  origin TEXT,
  started INTEGER,
  failure TEXT,              -- JSON: class, status, message
  scores TEXT,               -- JSON: one object a check, see the view checks
  answer TEXT
) STRICT;

CREATE UNIQUE INDEX results_by_case ON results (grp, "case", repeat);

-- One row a check. The scores of a result are written and read together, always;
-- so they are kept in its row, and this is how SQL sees them.
CREATE VIEW checks AS
SELECT results.id AS result,
       score.key AS n,
       score.value ->> 'check' AS "check",
       score.value ->> 'metric' AS metric,
       score.value ->> 'value' AS value,
       score.value ->> 'pass' AS pass,
       score.value ->> 'reason' AS reason,
       coalesce(score.value ->> 'operational', 0) AS operational
FROM results, json_each(results.scores) AS score;

CREATE TABLE calls (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  started INTEGER,
  run TEXT,
  suite TEXT,
  "case" TEXT,
  prompt TEXT,
  prompt_version TEXT,
  prompt_hash TEXT,
  model TEXT,
  repeat INTEGER NOT NULL,
  answered TEXT,
  finish TEXT,
  stored TEXT,               -- JSON: where an answer of before came from; NULL: asked now
  queue INTEGER NOT NULL,
  service INTEGER NOT NULL,
  first_token INTEGER NOT NULL,
  total INTEGER NOT NULL,
  failure TEXT,              -- JSON: class, status, message
  vars TEXT,                 -- JSON
  answer TEXT,
  answer_in_turn INTEGER NOT NULL -- 1: the answer is that of the last turn, and stands there
) STRICT;

CREATE UNIQUE INDEX calls_by_id ON calls (id);

CREATE TABLE turns (
  call INTEGER NOT NULL,     -- calls.n
  n INTEGER NOT NULL,        -- from 0
  kind TEXT,
  shape TEXT,                -- shapes.hash
  violation TEXT,
  answer TEXT,
  messages TEXT,             -- JSON
  PRIMARY KEY (call, n)
) STRICT, WITHOUT ROWID;

-- Options and output contract of turns: the same for thousands of them.
CREATE TABLE shapes (
  hash TEXT PRIMARY KEY,
  options TEXT,              -- JSON
  output_kind TEXT,
  output_schema TEXT         -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  call INTEGER NOT NULL,     -- calls.n
  turn INTEGER NOT NULL,     -- turns.n
  n INTEGER NOT NULL,        -- from 0
  provider TEXT,
  model TEXT,
  wire TEXT,
  answered TEXT,
  response_id TEXT,
  started INTEGER,
  queue INTEGER NOT NULL,
  service INTEGER NOT NULL,
  first_token INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  cost_known INTEGER NOT NULL,
  paid INTEGER NOT NULL,
  paid_known INTEGER NOT NULL,
  finish TEXT,
  stored TEXT,               -- JSON: where an answer of before came from; NULL: asked now
  failure TEXT,              -- JSON: class, status, message
  PRIMARY KEY (call, turn, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE prompts (
  hash TEXT PRIMARY KEY,
  name TEXT,
  version TEXT,
  saved INTEGER NOT NULL,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE cache (
  key TEXT PRIMARY KEY,
  given INTEGER,             -- when the model gave the answer
  expires INTEGER,           -- NULL: never
  finish TEXT,
  model TEXT,
  response_id TEXT,
  usage TEXT NOT NULL,       -- JSON
  stored TEXT,               -- JSON: what it cost and how long it took then
  tool_calls TEXT,           -- JSON
  body TEXT
) STRICT;
