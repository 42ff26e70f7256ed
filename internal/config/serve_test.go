package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestServe(t *testing.T) {
	want := newServe()
	if diff := cmp.Diff(want, loadText(t, "version: 1\n").Serve, ignorePlaces); diff != "" {
		t.Error(diff)
	}
	want.BudgetsWithoutStore = "open"
	want.Bounds.MaxBody, want.Bounds.MaxConnections, want.Bounds.HeaderTimeout = 512<<10, 100, 2*time.Second
	want.TLS = &TLS{Cert: "certs/server.pem", Key: "/etc/certs/key.pem"}
	want.CORS = []string{"https://app.example.com", "http://localhost:3000"}
	if diff := cmp.Diff(want, load(t, "other.yaml").Serve, ignorePlaces); diff != "" {
		t.Error(diff)
	}
}

// What a file says of the store is told from what is a default, also where it is the same.
func TestWhatTheStoreSaysIsTold(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                   {"content", "keep"},
		"store: {path: x.db}\n":              {"content", "keep"},
		"store: {content: full}\n":           {"keep"},
		"store: {keep: 0s}\n":                {"content"},
		"store: {keep: 1d, content: none}\n": nil,
	} {
		if got := loadText(t, "version: 1\n"+text).Store.Said.Missing(); !cmp.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestSizesAreWrittenWithTheirLargestUnit(t *testing.T) {
	for size, want := range map[Size]string{0: "0 bytes", 1000: "1000 bytes", 1 << 10: "1KB", 32 << 20: "32MB", 3 << 29: "1536MB", 1 << 30: "1GB"} {
		if got := size.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(size), got, want)
		}
	}
}
