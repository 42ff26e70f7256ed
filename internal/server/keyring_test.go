package server

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestKeyTextsAreLongDistinctAndChecked(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		text := NewKeyText()
		if len(text) != len(keyPrefix)+keyLetters || !whole(text) || seen[text] || strings.ContainsAny(text[len(keyPrefix):], "_-+/=") {
			t.Fatalf("%q", text)
		}
		seen[text] = true
		for _, wrong := range []string{text[:len(text)-1], text + "0", swapped(text), strings.ToUpper(text), text[len(keyPrefix):], "llmx_", ""} {
			if whole(wrong) {
				t.Fatalf("%q passes for %q", wrong, text)
			}
		}
	}
	for _, wrong := range []string{keyPrefix + strings.Repeat("z", keyLetters), keyPrefix + "-" + strings.Repeat("1", keyLetters-1), keyPrefix + strings.Repeat("é", keyLetters/2) + "1"} {
		if whole(wrong) {
			t.Errorf("%q passes", wrong)
		}
	}
}

// swapped changes the last letter.
func swapped(text string) string {
	last := byte('a')
	if text[len(text)-1] == last {
		last = 'b'
	}
	return text[:len(text)-1] + string(last)
}

func TestAKeyOpensWhatItMay(t *testing.T) {
	g := guard(t, Options{}, Bounds{})
	text := g.addKey(Caller{Key: "key-1", Name: "shop", Tenant: "key key-1", Models: []string{"echo"}}, KeyBounds{})
	if response, body := g.ask(t, text); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	if response, _ := g.do(t, "GET", "/v1/models", "", "authorization", "bearer  "+text+" "); response.StatusCode != 200 {
		t.Error("the scheme has no case")
	}
	response, body := g.do(t, "POST", "/v1/chat/completions", strings.Replace(askEcho, "echo", "other", 1), "Authorization", "Bearer "+text)
	wantError(t, response, body, http.StatusForbidden, "model_not_allowed")
	for _, one := range []struct{ header, code string }{
		{"", "missing_api_key"}, {"Bearer", "missing_api_key"}, {"Bearer  ", "missing_api_key"}, {"Basic " + text, "missing_api_key"}, {text, "missing_api_key"},
		{"Bearer " + NewKeyText(), "invalid_api_key"}, {"Bearer " + text[:20], "invalid_api_key"}, {"Bearer " + text + "," + text, "invalid_api_key"},
	} {
		response, body := g.do(t, "POST", "/v1/chat/completions", askEcho, "Authorization", one.header)
		wantError(t, response, body, http.StatusUnauthorized, one.code)
		if response.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Error("no WWW-Authenticate")
		}
	}
	if asked := g.asked.Load(); asked != 1 {
		t.Errorf("the engine was asked %d times", asked)
	}
	g.ring.Set(nil)
	if g.addKey(Caller{Key: "key-2"}, KeyBounds{}); true {
		response, body := g.ask(t, text)
		wantError(t, response, body, http.StatusUnauthorized, "invalid_api_key")
	}
	if said := g.log.String(); strings.Contains(said, text) || !strings.Contains(said, "key=shop") {
		t.Errorf("the log: %s", said)
	}
}

func TestAnExpiredKeyOpensNothing(t *testing.T) {
	now := time.Unix(1000, 0)
	ring := NewKeyring(func() time.Time { return now })
	text := NewKeyText()
	ring.Set([]Key{{Hash: HashKey(text), Caller: Caller{Key: "k"}, Expires: now.Add(time.Second)}})
	if _, ok := ring.Find(text); !ok {
		t.Error("it has a second left")
	}
	now = now.Add(time.Second)
	if _, ok := ring.Find(text); ok {
		t.Error("it is over")
	}
	if !ring.Any() {
		t.Error("time has opened the door to everybody")
	}
}

// Keys are replaced while they are asked for; those that stay keep their counts.
func TestKeysAreReplacedUnderLoad(t *testing.T) {
	ring := NewKeyring(time.Now)
	stays, goes := NewKeyText(), NewKeyText()
	key := func(text, id string) Key {
		return Key{Hash: HashKey(text), Caller: Caller{Key: id}, Bounds: KeyBounds{RPM: 1_000_000}}
	}
	ring.Set([]Key{key(stays, "stays"), key(goes, "goes")})
	var asking sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				caller, ok := ring.Find(stays)
				if !ok || caller.Key != "stays" {
					t.Error("a key that stays was lost")
					return
				}
				if _, refused := caller.Limits.enter(0, 0); refused != nil {
					t.Error(refused)
				}
				ring.Find(goes)
			}
		})
	}
	before, _ := ring.Find(stays)
	for i := range 200 {
		keys := []Key{key(stays, "stays")}
		if i%2 == 1 {
			keys = append(keys, key(goes, "goes"))
		}
		ring.Set(keys)
	}
	close(stop)
	asking.Wait()
	if after, _ := ring.Find(stays); after.Limits != before.Limits {
		t.Error("the count began anew")
	}
}
