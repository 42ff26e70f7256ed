ALTER TABLE runs ADD COLUMN selection TEXT; -- JSON: what the run was asked to do, for one that goes on later
