ALTER TABLE turns ADD COLUMN repairs TEXT;   -- JSON: what was put right of the answer; NULL: nothing
ALTER TABLE shapes ADD COLUMN output_rest TEXT; -- JSON: what the contract says besides kind and schema
ALTER TABLE results ADD COLUMN repair_score REAL; -- NULL: 1 for a valid answer, else 0
