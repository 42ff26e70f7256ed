ALTER TABLE attempts ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0; -- pieces that could not be read
ALTER TABLE attempts ADD COLUMN unasked INTEGER NOT NULL DEFAULT 0; -- 1: nobody was asked
