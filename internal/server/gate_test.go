package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Without a key this machine alone is served, and no page in its browser.
func TestWithoutKeysThisMachineAloneIsServed(t *testing.T) {
	g := guard(t, Options{}, Bounds{})
	if response, body := g.do(t, "POST", "/v1/chat/completions", askEcho); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	for _, one := range []struct {
		headers []string
		code    string
	}{
		{[]string{"Host", "evil.example:8787"}, "host_not_allowed"}, // DNS rebinding
		{[]string{"Host", "localhost.evil.example"}, "host_not_allowed"},
		{[]string{"Host", "192.168.0.7:8787"}, "host_not_allowed"},
		{[]string{"Host", "0.0.0.0"}, "host_not_allowed"},
		{[]string{"Host", "localhost:8787"}, ""},
		{[]string{"Host", "LOCALHOST."}, ""},
		{[]string{"Host", "[::1]:8787"}, ""},
		{[]string{"Host", "127.8.9.10"}, ""},
		{[]string{"X-Forwarded-For", "192.0.2.7"}, "loopback_only"}, // a proxy on this machine
		{[]string{"Via", "1.1 proxy"}, "loopback_only"},
		{[]string{"Origin", "https://evil.example"}, "origin_not_allowed"},
		{[]string{"Origin", "null"}, "origin_not_allowed"}, // a sandboxed frame, a file
		{[]string{"Origin", "http://localhost:3000"}, "origin_not_allowed"},
		{[]string{"Sec-Fetch-Site", "cross-site"}, "origin_not_allowed"}, // what has no Origin: an image, a script
		{[]string{"Sec-Fetch-Site", "same-site"}, "origin_not_allowed"},
		{[]string{"Sec-Fetch-Site", "none"}, ""},
		{[]string{"Origin", "http://" + g.address, "Sec-Fetch-Site", "same-origin"}, ""},
	} {
		for _, path := range []string{"/v1/models", "/v1/calls/x", "/nowhere"} {
			response, body := g.do(t, "GET", path, "", one.headers...)
			if one.code != "" {
				wantError(t, response, body, http.StatusForbidden, one.code)
			} else if response.StatusCode == http.StatusForbidden {
				t.Errorf("%v: %d %s", one.headers, response.StatusCode, body)
			}
		}
	}
}

// The peer counts, and not what the listener was: the last key may be revoked while a
// server listens everywhere.
func TestPeersOfOtherMachinesNeedAKey(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:5": true, "127.3.4.5:5": true, "[::1]:5": true, "[::ffff:127.0.0.1]:5": true,
		"10.0.0.8:5": false, "[fe80::1%eth0]:5": false, "[2001:db8::1]:5": false, "192.0.2.1:5": false, "": false, "@": false, "[::ffff:10.0.0.8]:5": false,
	} {
		s := New(Options{Keys: emptyRing()})
		r := httptest.NewRequest("GET", "http://localhost/v1/models", nil)
		r.RemoteAddr = address
		_, err := s.callerOf(r)
		if (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Not one header of CORS is sent by default, and what a browser asks before is refused.
func TestCORSIsOffUnlessOriginsAreListed(t *testing.T) {
	before := []string{"Origin", "https://app.example.com", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,x-stainless-os"}
	none := guard(t, Options{}, Bounds{})
	key := none.addKey(Caller{Key: "k"}, KeyBounds{})
	for _, method := range []string{"OPTIONS", "GET"} {
		response, _ := none.do(t, method, "/v1/models", "", append(before, "Authorization", "Bearer "+key)...)
		for name := range response.Header {
			if strings.HasPrefix(name, "Access-Control") {
				t.Errorf("%s is sent", name)
			}
		}
		if method == "OPTIONS" && response.StatusCode < 400 {
			t.Errorf("OPTIONS: %d", response.StatusCode)
		}
	}

	some := guard(t, Options{Origins: []string{"https://app.example.com"}}, Bounds{})
	key = some.addKey(Caller{Key: "k"}, KeyBounds{})
	response, _ := some.do(t, "OPTIONS", "/v1/chat/completions", "", before...)
	if response.StatusCode != http.StatusNoContent || response.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" ||
		response.Header.Get("Access-Control-Allow-Headers") != "authorization,content-type,x-stainless-os" {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	response, _ = some.do(t, "POST", "/v1/chat/completions", askEcho, "Origin", "https://app.example.com", "Authorization", "Bearer "+key)
	if response.StatusCode != 200 || response.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || !strings.Contains(response.Header.Get("Access-Control-Expose-Headers"), "X-Request-Id") {
		t.Errorf("%d %v", response.StatusCode, response.Header)
	}
	response, _ = some.do(t, "POST", "/v1/chat/completions", askEcho, "Origin", "https://app.example.com")
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a listed page needs a key, too: %d", response.StatusCode)
	}
	for _, origin := range []string{"https://evil.example", "https://app.example.com.evil.example", "null"} {
		response, _ := some.do(t, "OPTIONS", "/v1/models", "", "Origin", origin, "Access-Control-Request-Method", "GET")
		if response.Header.Get("Access-Control-Allow-Origin") != "" || response.StatusCode < 400 {
			t.Errorf("%s: %d %v", origin, response.StatusCode, response.Header)
		}
	}
}
