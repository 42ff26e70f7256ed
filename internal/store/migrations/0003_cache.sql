-- Expired entries are found by it when new ones are written.
CREATE INDEX cache_by_expiry ON cache (expires) WHERE expires IS NOT NULL;
