-- What budgets have counted. An account is what a budget counts together: its scope
-- with a value (the name of a prompt, the id of a key, …) in one period, which is a day, a month
-- or the id of a run. It is kept when runs are pruned.
CREATE TABLE budget_accounts (
  per TEXT NOT NULL,
  period TEXT NOT NULL,
  scope TEXT NOT NULL,
  value TEXT NOT NULL,
  spent INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (per, period, scope, value)
) STRICT, WITHOUT ROWID;

-- What processes hold of an account for what they are about to spend. A row of a
-- process that was killed stays, and counts as spent.
CREATE TABLE budget_leases (
  per TEXT NOT NULL,
  period TEXT NOT NULL,
  scope TEXT NOT NULL,
  value TEXT NOT NULL,
  owner TEXT NOT NULL,       -- the process
  amount INTEGER NOT NULL,
  wanted INTEGER NOT NULL,   -- what it waits for
  renewed INTEGER NOT NULL,  -- when it was last alive
  PRIMARY KEY (per, period, scope, value, owner)
) STRICT, WITHOUT ROWID;
