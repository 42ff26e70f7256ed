package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// vectors is an upstream that gives each text a vector of its own, and counts how many
// are under way at once.
type vectors struct {
	*httptest.Server
	open, peak, asked, gone atomic.Int64
	body                    atomic.Value // of the last request
}

func newVectors(t testing.TB) *vectors {
	v := &vectors{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked map[string]any
		_ = json.NewDecoder(r.Body).Decode(&asked)
		v.body.Store(asked)
		v.asked.Add(1)
		now := v.open.Add(1)
		defer v.open.Add(-1)
		for peak := v.peak.Load(); now > peak && !v.peak.CompareAndSwap(peak, now); peak = v.peak.Load() {
		}
		var n int
		_, _ = fmt.Sscanf(fmt.Sprint(asked["input"]), "text %d", &n)
		if asked["input"] == "bad" {
			http.Error(w, `{"error":{"message":"this text is not taken"}}`, 400)
			return
		}
		select {
		case <-time.After(time.Duration(20-n%20) * time.Millisecond):
		case <-r.Context().Done():
			v.gone.Add(1)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"data":[{"embedding":[%d,0.5]}],"model":"vec-1","usage":{"prompt_tokens":3,"total_tokens":3}}`, n+1)
	}))
	t.Cleanup(v.Close)
	return v
}

func TestEmbeddings(t *testing.T) {
	up := newVectors(t)
	h := plan{upstream: up.URL + "/v1", models: []string{"small"}}.build(t)
	var texts []string
	for i := range 40 {
		texts = append(texts, fmt.Sprintf(`"text %d"`, i))
	}
	a := h.post("/v1/embeddings", `{"model":"small","input":[`+strings.Join(texts, ",")+`],"dimensions":2,"user":"ann"}`)
	var got struct {
		Data []struct {
			Index     int
			Embedding []float64
		}
		Model string
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		}
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || len(got.Data) != 40 || got.Model != "vec-1" || got.Usage.Prompt != 120 {
		t.Fatalf("%d %s %v", a.status, a.body, err)
	}
	for i, one := range got.Data {
		if one.Index != i || one.Embedding[0] != float64(i+1) {
			t.Errorf("the vector %d is %+v", i, one)
		}
	}
	if peak := up.peak.Load(); peak < 2 || peak > 8 {
		t.Errorf("%d were under way at once", peak)
	}
	if sent := up.body.Load().(map[string]any); sent["dimensions"] != 2.0 || sent["user"] != nil {
		t.Errorf("sent %v", sent)
	}
	if a.header.Get("X-Llmx-Attempts") != "40" || a.header.Get("X-Llmx-Turns") != "40" {
		t.Errorf("%v", a.header)
	}
	for id, want := range map[string]bool{"req-1": true, "req-1.2": true, "req-1.40": true, "req-1.41": false} {
		if got := h.send(t.Context(), "GET", "/v1/calls/"+id, "").status == 200; got != want {
			t.Errorf("%s is there: %v", id, got)
		}
	}
	if one := h.post("/v1/embeddings", `{"model":"small","input":"text 3","encoding_format":"base64"}`); !strings.Contains(one.body, `"embedding":"AACAQAAAAD8="`) {
		t.Errorf("%s", one.body)
	}
}

func TestBadEmbeddings(t *testing.T) {
	up := newVectors(t)
	h := plan{upstream: up.URL + "/v1", models: []string{"small"}}.build(t)
	for body, want := range map[string]string{
		`{"model":"small"}`:                                      "input|input is missing",
		`{"input":"x"}`:                                          "model|model is missing: the name of a model or of a route",
		`{"model":"small","input":[]}`:                           "input|input: want 1 to 2048 texts",
		`{"model":"small","input":""}`:                           "input[0]|input[0] is empty",
		`{"model":"small","input":[1,2]}`:                        "input[0]|input[0]: want a string; tokens are not taken, as every model has its own",
		`{"model":"small","input":["a",[1]]}`:                    "input[1]|input[1]: want a string; tokens are not taken, as every model has its own",
		`{"model":"small","input":{"a":1}}`:                      "input|input: want a string or a list of strings, got an object",
		`{"model":"small","input":"a","encoding_format":"int8"}`: `encoding_format|encoding_format "int8" is not known; allowed: float, base64`,
		`{"model":"small","input":"a","dimensions":0}`:           "dimensions|dimensions: want a whole number from 1 on",
		`{"model":"small","input":"a","Input":"b"}`:              `Input|Input is not known; did you mean "input"?`,
	} {
		a := h.post("/v1/embeddings", body)
		f := a.failure(t)
		if a.status != 400 || f.Param == nil || *f.Param+"|"+f.Message != want {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if n := up.asked.Load(); n != 0 {
		t.Errorf("asked %d times", n)
	}
	// One text that fails ends the others.
	texts := strings.Repeat(`"text 1",`, 100)
	a := h.post("/v1/embeddings", `{"model":"small","input":["bad",`+strings.TrimSuffix(texts, ",")+`]}`)
	if f := a.failure(t); a.status != 400 || !strings.HasSuffix(f.Message, "this text is not taken") || up.asked.Load() > 20 {
		t.Errorf("%d %s after %d requests", a.status, a.body, up.asked.Load())
	}
}
