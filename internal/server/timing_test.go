package server

import (
	"testing"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// What waits for the caller is not ours: writes behind the end of the last attempt. Those
// before it are in the attempt's own time.
func TestOverheadWithoutTheCallersTime(t *testing.T) {
	now := time.Now()
	ago := func(ms int) time.Time { return now.Add(-time.Duration(ms) * time.Millisecond) }
	const ms = time.Millisecond
	answered := &llm.Call{Queue: 100 * ms, Service: 500 * ms, Total: 700 * ms, Turns: []llm.Turn{{Attempts: []llm.Attempt{
		{Started: ago(900), Queue: 100 * ms, Service: 500 * ms}, // until 300 ms ago
	}}}}
	for name, test := range map[string]struct {
		call *llm.Call
		slow []span
		want time.Duration
	}{
		"nothing was asked":              {nil, nil, 950 * ms},
		"nobody was slow":                {answered, nil, 350 * ms},
		"a write within the answer":      {answered, []span{{ago(500), 100 * ms}}, 350 * ms},
		"a write behind it":              {answered, []span{{ago(500), 100 * ms}, {ago(290), 250 * ms}}, 100 * ms},
		"kept from before":               {&llm.Call{Service: time.Hour, Stored: &llm.Stored{By: "cache"}}, nil, 950 * ms},
		"shared with an equal call":      {&llm.Call{Service: time.Hour, Total: 900 * ms, Stored: &llm.Stored{By: "shared"}}, nil, 50 * ms},
		"more than the whole is no time": {&llm.Call{Service: time.Hour}, nil, 0},
	} {
		x := &exchange{begun: ago(1000), call: test.call, timing: timing{reading: 50 * ms, slow: test.slow}}
		if got := x.overhead(); got < test.want || got > test.want+40*ms {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	var kept timing
	for i := range 100 {
		kept.wrote(ago(i + 1))
	}
	kept.wrote(time.Now())
	if len(kept.slow) != keptSlow {
		t.Errorf("%d writes are kept", len(kept.slow))
	}
}

func TestUSD(t *testing.T) {
	for amount, want := range map[llm.Money]string{
		0: "0", 1: "0.000000001", 12060: "0.00001206", 1_000_000_000: "1", 10_500_000_000: "10.5", -2_000_000_001: "-2.000000001", 1<<53 + 1: "9007199.254740993",
	} {
		if got := usd(amount); got != want {
			t.Errorf("%d: %s, want %s", int64(amount), got, want)
		}
	}
}

func TestPathsInJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", `[]`: "", `1`: "", `{"a":1,"b":{"a":2}}`: "", `{"a":1,"a":2}`: ".a", `[{"a":[]},{"b":{},"c":[ ],"b":1}]`: "[1].b",
		`{"a":{"b":[1,"x\"]",{"c":"}","c":0}]}}`: ".a.b[2].c", `{"\u0061":1, "a" : 2}`: ".a",
	} {
		if got := keyTwice([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	many := "{"
	for i := range 40 {
		many += `"k` + decimal(int64(i)) + `":1,`
	}
	if got := keyTwice([]byte(many + `"k3":1}`)); got != ".k3" {
		t.Errorf("among many keys: %q", got)
	}
	if got := pathAt([]byte(`{"a": [1, {"b": 12}]}`), 18); got != ".a[1].b" {
		t.Errorf("%q", got)
	}
}
