package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// CacheEntry is an answer that may be given again. Of its End everything is kept
// but Value, which is parsed anew, Keep, and what is said of the asking. End.Stored says when it was given,
// how long that took, and what it cost.
type CacheEntry struct {
	Text      string
	ToolCalls []llm.ToolCall
	End       llm.End
	Expires   time.Time // zero: never
}

// CacheSize says how much is cached.
type CacheSize struct {
	Entries int
	Expired int       // of Entries
	Bytes   int64     // of the answers' texts and tool calls
	Oldest  time.Time // when the oldest answer was given; zero for no entry
}

const cacheColumns = `key, given, expires, finish, model, response_id, usage, stored, tool_calls, body`

// cacheQuery is prepared: every call of a live run asks it, and parsing it costs
// more than running it.
const cacheQuery = "SELECT " + cacheColumns + " FROM cache WHERE key = ?"

// expiredPerPut bounds how many expired entries go for one that comes: more than
// one, so that the file stops growing once entries expire, and few, so that a batch
// stays short.
const expiredPerPut = 2

type cachePut struct {
	key   string
	entry CacheEntry
}

// CachePut queues an entry; one with the same key is replaced.
func (s *Store) CachePut(key string, entry CacheEntry) error {
	if err := s.writable(); err != nil {
		return err
	}
	item := work{cached: &cachePut{key: key, entry: entry}}
	if s.writer.serving != nil {
		item.size = rowBytes + int64(len(entry.Text)) + toolCallBytes(entry.ToolCalls)
	}
	return s.writer.send(item)
}

func (w *writer) insertCached(p *cachePut) error {
	entry, end := &p.entry, &p.entry.End
	usage, err := jsonValue(end.Usage)
	if err != nil {
		return err
	}
	stored, err := storedValue(end.Stored)
	if err != nil {
		return err
	}
	var given, tools driver.Value
	if end.Stored != nil {
		given = timeValue(end.Stored.At)
	}
	if len(entry.ToolCalls) > 0 {
		if tools, err = jsonValue(entry.ToolCalls); err != nil {
			return err
		}
	}
	return w.inserts.cached.exec(p.key, given, timeValue(entry.Expires), textValue(string(end.Finish)), textValue(end.Model),
		textValue(end.ResponseID), usage, stored, tools, textValue(entry.Text))
}

// removeExpired makes room for as many entries as were just put, in their transaction.
func (w *writer) removeExpired(puts int) error {
	return w.inserts.expired.exec(w.now().UnixNano(), int64(puts*expiredPerPut))
}

// CacheGet finds an entry that is written and has not expired. An entry that
// does not parse is a miss. In a store that serves, one that cannot be read in time
// is an error, which comes in time.
func (s *Store) CacheGet(ctx context.Context, key string) (CacheEntry, bool, error) {
	if s.patience != nil {
		return s.cacheGetInTime(ctx, key)
	}
	return s.cacheGet(ctx, key)
}

func (s *Store) cacheGet(ctx context.Context, key string) (CacheEntry, bool, error) {
	query, err := s.cached()
	if err != nil {
		return CacheEntry{}, false, s.failure("read", err)
	}
	r := newRecord(cacheColumns)
	err = r.scan(query.QueryRowContext(ctx, key))
	if errors.Is(err, sql.ErrNoRows) {
		return CacheEntry{}, false, nil
	}
	if err != nil {
		return CacheEntry{}, false, s.failure("read", err)
	}
	r.text() // the key
	r.time() // stands in stored, too
	entry := CacheEntry{Expires: r.time()}
	entry.End = llm.End{Finish: llm.FinishReason(r.text()), Model: r.text(), ResponseID: r.text()}
	r.json(&entry.End.Usage)
	entry.End.Stored = r.stored()
	r.json(&entry.ToolCalls)
	entry.Text = r.text()
	if r.err != nil || !entry.Expires.IsZero() && !s.now().Before(entry.Expires) {
		return CacheEntry{}, false, nil
	}
	return entry, true, nil
}

// CacheEmpty reports whether there is no entry at all.
func (s *Store) CacheEmpty(ctx context.Context) (bool, error) {
	var some bool
	err := s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM cache)").Scan(&some)
	return !some, s.failure("read", err)
}

// CacheClear removes all entries, also the queued ones, and says how many.
func (s *Store) CacheClear(ctx context.Context) (int, error) {
	if err := s.writable(); err != nil {
		return 0, err
	}
	var removed int64
	err := s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		done, err := conn.ExecContext(context.Background(), "DELETE FROM cache")
		if err != nil {
			return err
		}
		removed, err = done.RowsAffected()
		return err
	}})
	if err != nil {
		return 0, err
	}
	return int(removed), nil
}

// CacheStats says how much is cached.
func (s *Store) CacheStats(ctx context.Context) (CacheSize, error) {
	var size CacheSize
	var oldest sql.NullInt64
	err := s.readers.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE expires <= ?),
		coalesce(sum(octet_length(body)), 0) + coalesce(sum(octet_length(tool_calls)), 0), min(given) FROM cache`,
		s.now().UnixNano()).Scan(&size.Entries, &size.Expired, &size.Bytes, &oldest)
	if oldest.Valid {
		size.Oldest = time.Unix(0, oldest.Int64).UTC()
	}
	return size, s.failure("read", err)
}
