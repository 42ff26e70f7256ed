package store

import (
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/engine/budget"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

func aKey(id, name string) Key {
	return Key{ID: id, Name: name, Hash: [32]byte{id[0], id[1]}, Created: testNow}
}

// What is said of a key is kept; a second process sees it, and sees that something changed.
func TestKeysAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s, other := openTest(t, path, Options{}), openTest(t, path, Options{})
	full := Key{
		ID: "k1", Name: "shop", Hash: [32]byte{1, 2, 3, 31: 9}, Tenant: "acme", Prompts: []string{"triage"}, Models: []string{},
		RPM: 1, TPM: 2, Concurrency: 3, Limit: 5 * llm.USD, Per: budget.PerDay, Created: testNow, Expires: testNow.Add(time.Hour),
	}
	bare := aKey("k2", "bare")
	changes := func(s *Store) int64 {
		n, err := s.KeyChanges(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changes(other)
	for _, k := range []Key{full, bare} {
		if err := s.AddKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	if got := changes(other); got != before+2 {
		t.Errorf("%d changes, want %d", got, before+2)
	}
	got, err := other.Keys(t.Context())
	if diff := cmp.Diff([]Key{full, bare}, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if !full.Live(testNow) || full.Live(testNow.Add(time.Hour)) || !bare.Live(testNow.Add(1e6*time.Hour)) {
		t.Error("an hour, and for ever")
	}

	revoked, err := other.RevokeKey(t.Context(), "shop")
	if err != nil || revoked.ID != "k1" || revoked.Live(testNow) {
		t.Errorf("%+v %v", revoked, err)
	}
	if got := changes(s); got != before+3 {
		t.Errorf("%d changes, want %d", got, before+3)
	}
	again := aKey("k3", "shop")
	if err := s.AddKey(t.Context(), again); err != nil {
		t.Errorf("the name is free: %v", err)
	}
	if ids, err := s.KeyIDs(t.Context(), "shop"); err != nil || !slices.Equal(ids, []string{"k1", "k3"}) {
		t.Errorf("%v %v", ids, err)
	}
	if ids, err := s.KeyIDs(t.Context(), "k2"); err != nil || !slices.Equal(ids, []string{"k2"}) {
		t.Errorf("%v %v", ids, err)
	}
	if names, err := s.KeyNames(t.Context()); err != nil || !cmp.Equal(names, map[string]string{"k1": "shop", "k2": "bare", "k3": "shop"}) {
		t.Errorf("%v %v", names, err)
	}
	for name, refused := range map[string]error{
		"revoked already": second(s.RevokeKey(t.Context(), "k1")), "nobody's": second(s.RevokeKey(t.Context(), "shp")), "nobody's id": second(s.KeyIDs(t.Context(), "x")),
		"taken": s.AddKey(t.Context(), aKey("k4", "shop")),
	} {
		if fault.ClassOf(refused) != fault.Usage {
			t.Errorf("%s: %v", name, refused)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("a refusal ends nothing: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// Of many who take one name at once, in two processes, one gets it.
func TestOneNameIsGivenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	stores := []*Store{openTest(t, path, Options{}), openTest(t, path, Options{})}
	var made atomic.Int64
	var making sync.WaitGroup
	for i := range 20 {
		making.Go(func() {
			if stores[i%2].AddKey(t.Context(), aKey(string([]byte{'a', byte('a' + i)}), "shop")) == nil {
				made.Add(1)
			}
		})
	}
	making.Wait()
	if made.Load() != 1 {
		t.Errorf("%d keys have the name", made.Load())
	}
}
