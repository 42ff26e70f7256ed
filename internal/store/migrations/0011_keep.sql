-- Finds the oldest calls outside of runs, which a server removes while it serves; the
-- calls of a run go with it.
CREATE INDEX calls_by_age ON calls (started) WHERE n <= 4294967295;
