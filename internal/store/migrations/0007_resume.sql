ALTER TABLE runs ADD COLUMN selection TEXT; -- JSON: what the run was asked to do, for one that goes on later
ALTER TABLE result_groups ADD COLUMN arm TEXT; -- NULL for what is judged, else what was asked beside it to be compared with
