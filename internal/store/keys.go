package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Key is a caller's key, without its text: nobody has that but the caller.
type Key struct {
	ID      string
	Name    string // of those that are not revoked no two have the same
	Hash    [32]byte
	Tenant  string   // whose cache; "": the key's own
	Prompts []string // that it may ask; nil: all
	Models  []string // likewise
	Admin   bool     // it may change what all are served: labels

	RPM, TPM, Concurrency int        // 0: no bound
	Limit                 llm.Money  // what it may spend; 0: no bound of its own
	Per                   budget.Per // day or month, of Limit

	Created time.Time
	Expires time.Time // zero: never
	Revoked time.Time // zero: it is not
}

// Live reports whether a key opens anything at a time.
func (k *Key) Live(now time.Time) bool {
	return k.Revoked.IsZero() && (k.Expires.IsZero() || now.Before(k.Expires))
}

const keyColumns = `id, name, hash, tenant, prompts, models, rpm, tpm, concurrency, usd, per, admin, created, expires, revoked`

// AddKey keeps a new key. A name that a key has already is refused with class
// fault.Usage.
func (s *Store) AddKey(ctx context.Context, k Key) error {
	if err := s.writable(); err != nil {
		return err
	}
	prompts, err := chosenValue(k.Prompts)
	if err != nil {
		return err
	}
	models, err := chosenValue(k.Models)
	if err != nil {
		return err
	}
	return s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
		var taken int
		if err := conn.QueryRowContext(context.Background(), "SELECT count(*) FROM keys WHERE name = ? AND revoked IS NULL", k.Name).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return fault.New(fault.Usage, "there is a key %q already", k.Name).
				WithHint("give the new one another name, and revoke the old one once nobody uses it: llmx keys revoke %s", k.Name)
		}
		_, err := conn.ExecContext(context.Background(), insertInto("INSERT", "keys", keyColumns),
			k.ID, k.Name, k.Hash[:], textValue(k.Tenant), prompts, models, k.RPM, k.TPM, k.Concurrency,
			int64(k.Limit), textValue(string(k.Per)), boolValue(k.Admin), timeValue(k.Created), timeValue(k.Expires), timeValue(k.Revoked))
		return err
	}})
}

// chosenValue is a JSON list, which may be empty: NULL is all.
func chosenValue(names []string) (driver.Value, error) {
	if names == nil {
		return nil, nil
	}
	return jsonValue(names)
}

// RevokeKey ends a key for good; it is found by its name, among those that are not
// revoked, or by its id. A name that no key has is refused with class fault.Usage.
func (s *Store) RevokeKey(ctx context.Context, nameOrID string) (Key, error) {
	if err := s.writable(); err != nil {
		return Key{}, err
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return Key{}, err
	}
	var names []string
	for _, k := range keys {
		if !k.Revoked.IsZero() {
			if k.ID == nameOrID {
				return k, fault.New(fault.Usage, "the key %s (%s) was revoked on %s", k.Name, k.ID, k.Revoked.Format(time.DateOnly))
			}
			continue
		}
		if k.Name != nameOrID && k.ID != nameOrID {
			names = append(names, k.Name)
			continue
		}
		k.Revoked = s.now()
		return k, s.writer.wait(ctx, work{do: func(conn *sql.Conn) error {
			_, err := conn.ExecContext(context.Background(), "UPDATE keys SET revoked = ? WHERE id = ? AND revoked IS NULL", timeValue(k.Revoked), k.ID)
			return err
		}})
	}
	return Key{}, unknownKey(nameOrID, names)
}

func unknownKey(name string, names []string) error {
	e := fault.New(fault.Usage, "there is no key %q", name)
	if len(names) == 0 {
		return e.WithHint("llmx keys new NAME makes one")
	}
	return e.WithHint("%s", fault.Allowed(name, names))
}

// Keys are all keys that there are and were, in the order in which they were made.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.readers.QueryContext(ctx, "SELECT "+keyColumns+" FROM keys ORDER BY created, id")
	if err != nil {
		return nil, s.failure("read", err)
	}
	defer rows.Close()
	var keys []Key
	r := newRecord(keyColumns)
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, s.failure("read", err)
		}
		k := r.key()
		if r.err != nil {
			return nil, s.failure("read", r.err)
		}
		keys = append(keys, k)
	}
	return keys, s.failure("read", rows.Err())
}

func (r *record) key() Key {
	k := Key{ID: r.text(), Name: r.text()}
	hash, _ := r.take().([]byte)
	copy(k.Hash[:], hash)
	k.Tenant = r.text()
	r.json(&k.Prompts)
	r.json(&k.Models)
	k.RPM, k.TPM, k.Concurrency, k.Limit, k.Per = r.int(), r.int(), r.int(), llm.Money(r.int64()), budget.Per(r.text())
	k.Admin = r.bool()
	k.Created, k.Expires, k.Revoked = r.time(), r.time(), r.time()
	return k
}

// KeyChanges counts the changes of keys, by any process: as long as it stays, so do
// the keys.
func (s *Store) KeyChanges(ctx context.Context) (n int64, err error) {
	err = s.readers.QueryRowContext(ctx, "SELECT n FROM key_changes").Scan(&n)
	return n, s.failure("read", err)
}

// KeyIDs finds the ids of the keys that have a name, revoked ones too, or the id
// itself. None is refused with class fault.Usage.
func (s *Store) KeyIDs(ctx context.Context, nameOrID string) ([]string, error) {
	keys, err := s.Keys(ctx)
	if err != nil {
		return nil, err
	}
	var ids, names []string
	for _, k := range keys {
		if k.Name == nameOrID || k.ID == nameOrID {
			ids = append(ids, k.ID)
		}
		names = append(names, k.Name)
	}
	if ids == nil {
		return nil, unknownKey(nameOrID, names)
	}
	return ids, nil
}

// KeyNames are the names of all keys by their ids, revoked ones too.
func (s *Store) KeyNames(ctx context.Context) (map[string]string, error) {
	keys, err := s.Keys(ctx)
	names := make(map[string]string, len(keys))
	for _, k := range keys {
		names[k.ID] = k.Name
	}
	return names, err
}
