package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Another reading of llmx.yaml keeps what counts (limits, connections), but for what it
// changes.
func TestAnotherReadingKeepsLimitsAndConnections(t *testing.T) {
	dir := t.TempDir()
	read := func(replace ...string) *project {
		t.Helper()
		text := strings.NewReplacer(replace...).Replace(`version: 1
providers: {up: {kind: openai, base_url: http://127.0.0.1:1/v1, api_key: "${env:KEY}"}, other: {kind: openai, base_url: http://127.0.0.1:2/v1}}
models:
  a: {provider: up, limits: {rpm: 10}}
  b: {provider: other, limits: {rpm: 10}}
`)
		if err := os.WriteFile(filepath.Join(dir, configFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := openProject(&World{Dir: dir, Now: time.Now, LookupEnv: func(name string) (string, bool) { return name, true }})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := newServers(read(), 1)
	a, b := first.limiter("a"), first.limiter("b")
	up, err := first.open("up")
	if err != nil {
		t.Fatal(err)
	}
	other, _ := first.open("other")

	same := first.of(read())
	same.renew()
	if again, _ := same.open("up"); same.limiter("a") != a || same.limiter("b") != b || again != up {
		t.Error("what has not changed counts anew")
	}
	changed := first.of(read("a: {provider: up, limits: {rpm: 10}}", "a: {provider: up, limits: {rpm: 20}}", "env:KEY", "env:KEY2"))
	changed.renew()
	if changed.limiter("a") == a || changed.limiter("b") != b {
		t.Error("a limit that has changed is not the one in force, or another one is")
	}
	if again, _ := changed.open("up"); again == up {
		t.Error("the provider is asked with the key of before")
	}
	if again, _ := changed.open("other"); again != other {
		t.Error("a provider that has not changed is connected to anew")
	}
}
