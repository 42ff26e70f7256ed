package cli

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Addresses that callers name go to the provider as they are. Nobody here follows them.
func TestNothingDialsWhatACallerNames(t *testing.T) {
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	var followed atomic.Int64
	go func() {
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			followed.Add(1)
			conn.Close()
		}
	}()
	k := newKeyed(t, keepsAll)
	if err := os.Mkdir(filepath.Join(k.world.Dir, "prompts", "look"), 0o755); err != nil {
		t.Fatal(err)
	}
	k.write("prompts/look/draft.prompty", "---\nname: look\nmodel: {id: right}\ninputs:\n  picture: {kind: image, required: true}\n---\nuser:\nWhat is it? {{ picture }}\n")
	s := k.serve()
	url := "http://" + trap.Addr().String() + "/cat.png"
	part := func(kind, member string) string {
		return fmt.Sprintf(`{"model": "right", "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, {"type": %q, %s}]}]}`, kind, member)
	}
	if status, answer, _ := s.ask("", "/v1/chat/completions", part("image_url", fmt.Sprintf(`"image_url": {"url": %q}`, url))); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer, _ := s.ask("", "/v1/prompts/look", fmt.Sprintf(`{"variables": {"picture": %q}}`, url)); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
	passed := 0
	for _, seen := range k.upstream.Requests() {
		if bytes.Contains(seen.Body, []byte(url)) {
			passed++
		}
	}
	if passed != 2 {
		t.Errorf("%d of 2 addresses were passed on", passed)
	}
	for path, bodies := range map[string][]string{
		"/v1/chat/completions": {
			part("image_url", `"image_url": {"url": "file:///etc/passwd"}`), part("image_url", `"image_url": {"url": "llmx.yaml"}`), part("image_url", `"image_url": {"url": "ftp://127.0.0.1/x"}`),
			part("file", fmt.Sprintf(`"file": {"file_id": %q}`, url)),
		},
		"/v1/prompts/look": {
			`{"variables": {"picture": "llmx.yaml"}}`, `{"variables": {"picture": {"path": "llmx.yaml"}}}`, `{"variables": {"picture": "file:///etc/passwd"}}`,
			`{"variables": {"picture": {"url": "llmx.yaml"}}}`, `{"variables": {"picture": {"url": "x", "path": "llmx.yaml"}}}`, `{"variables": {"picture": ["llmx.yaml"]}}`,
		},
	} {
		for _, body := range bodies {
			if status, answer, _ := s.ask("", path, body); status != 400 {
				t.Errorf("%s: %d %s", body, status, answer)
			}
		}
	}
	// A caller sets no address of a provider: what looks like one is an option of the model.
	body := fmt.Sprintf(`{"model": "right", "messages": [{"role": "user", "content": "x"}], "base_url": %q, "api_base": %q, "webhook": %q}`, url, url, url)
	if status, answer, _ := s.ask("", "/v1/chat/completions", body); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("an address was followed %d times", n)
	}
}

// Schemas that callers send may be hostile: each is answered soon.
func TestHostileSchemasAreBounded(t *testing.T) {
	k := newKeyed(t, keepsAll)
	s := k.serve()
	deep := strings.Repeat(`{"properties": {"label": `, 4000) + "{}" + strings.Repeat("}}", 4000)
	alternatives := strings.Repeat(`{"anyOf": [{"$ref": "#"}, `, 500) + "{}" + strings.Repeat("]}", 500)
	for name, schema := range map[string]string{
		"a slow pattern":          `{"properties": {"label": {"pattern": "^(a+)+$"}}}`,
		"a huge pattern":          `{"properties": {"label": {"pattern": "((a{1000}){1000}){1000}"}}}`,
		"a loop":                  `{"$ref": "#"}`,
		"a loop of two":           `{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}`,
		"depth":                   deep,
		"alternatives":            alternatives,
		"two branches":            `{"anyOf": [{"properties": {"label": {"$ref": "#"}}}, {"properties": {"label": {"$ref": "#"}}}]}`,
		"an address":              `{"$ref": "http://127.0.0.1:1/x.json"}`,
		"a file":                  `{"$ref": "file:///etc/passwd"}`,
		"a huge number of things": `{"enum": [` + strings.Repeat(`"x",`, 100_000) + `"y"]}`,
		"no schema":               `[1]`,
		"a wrong word":            `{"type": "strange", "minimum": 1e400}`,
	} {
		body := `{"model": "right", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": ` + schema + `}}}`
		begun := time.Now()
		status, answer, _ := s.ask("", "/v1/chat/completions", body)
		if took := time.Since(begun); took > 5*time.Second || status >= 500 {
			t.Errorf("%s: %d after %v: %.300s", name, status, took, answer)
		}
		t.Logf("%s: %d %.160s", name, status, answer)
	}
}

// Neither the log nor a store that may keep no contents has what was asked, brought along
// and answered.
func TestContentsStayOutOfTheLogAndTheStore(t *testing.T) {
	for _, content := range []string{"none", "redacted", "full"} {
		k := newKeyed(t, "store: {content: "+content+", keep: 30d}\n")
		key := k.newKey("shop")
		s := k.serve("--log", "json")
		const secret, asked = "my card is 4111-1111", `"messages": [{"role": "user", "content": "my card is 4111-1111"}]`
		if status, answer, _ := s.triage(key, secret); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		for body, want := range map[string]int{
			`{"model": "nope", ` + asked + `}`: 404,
			`{"model": "right", ` + asked + `, "user": "my card is 4111-1111", "stop": ["my card is 4111-1111"], "tools": [{"type": "function", "function": {"name": "pay", "description": "my card is 4111-1111"}}]}`: 200,
			`{"model": "right", ` + asked + `, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "description": "my card is 4111-1111"}}}}`:                         200,
			`{"model": "right", ` + asked + `, "stream": true, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"required": ["my card is 4111-1111"]}}}}`:                            422,
		} {
			if status, answer, _ := s.ask(key, "/v1/chat/completions", body); status != want {
				t.Errorf("%s: %d %s", body, status, answer)
			}
		}
		s.end()
		stored, err := os.ReadFile(filepath.Join(k.world.Dir, ".llmx", "llmx.db"))
		if err != nil {
			t.Fatal(err)
		}
		for where, text := range map[string]string{"log": s.log.String(), "store": string(stored)} {
			for _, word := range []string{secret, `"label\"`, key} {
				if there := strings.Contains(text, word); there != (content == "full" && where == "store" && word == secret) {
					t.Errorf("content %s: %q is in the %s: %t", content, word, where, there)
				}
			}
		}
	}
}

// Where a server listens for others and its last key is revoked, others are refused.
func TestOthersAreRefusedOnceTheLastKeyIsGone(t *testing.T) {
	address := outwardAddress()
	if address == "" {
		t.Skip("this machine has no address but loopback")
	}
	k := newKeyed(t, keepsAll)
	if code := k.run("serve", "--draft", "--addr", "0.0.0.0:0"); code != 2 || !strings.Contains(k.stderr.String(), "llmx keys new NAME") {
		t.Fatalf("exit %d: %s", code, k.stderr.String())
	}
	key := k.newKey("shop")
	s := k.serve("--addr", "0.0.0.0:0")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + net.JoinHostPort(address, port)
	s.within("from outside, with a key", key, 200)
	if code := k.run("keys", "revoke", "shop"); code != 0 {
		t.Fatal(k.stderr.String())
	}
	s.within("from outside, without keys", key, 403)
	s.url = "http://127.0.0.1:" + port
	s.within("from here", "", 200)
}

func outwardAddress() string {
	addresses, _ := net.InterfaceAddrs()
	for _, address := range addresses {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String()
		}
	}
	return ""
}

// The certificate is read again when it changes; a broken one does not replace a good one.
func TestCertificatesAreRenewedWithoutARestart(t *testing.T) {
	k := newKeyed(t, keepsAll+"serve: {tls: {cert: cert.pem, key: key.pem}, header_timeout: 300ms}\n")
	put := func(name string) {
		cert, key := selfSigned(t, name)
		k.write("cert.pem", cert)
		k.write("key.pem", key)
	}
	put("first")
	s := k.serve()
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatal(s.url)
	}
	subject := func(config *tls.Config) (string, error) {
		config.InsecureSkipVerify = true // its name is what is looked at
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), config)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
	}
	until := func(want, log string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			got, err := subject(&tls.Config{})
			if err == nil && got == want && strings.Contains(s.log.String(), log) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%q %v, want %q; the log: %s", got, err, want, s.log.String())
			}
		}
	}
	until("first", "")
	if _, err := subject(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	if _, err := subject(&tls.Config{NextProtos: []string{"h2"}}); err == nil {
		t.Error("HTTP/2 is spoken")
	}
	for said, want := range map[string]string{"": "", "\x16\x03\x01": "", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n": "HTTP/1.0 400"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, said); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), want) || want == "" && len(answer) > 0 {
			t.Errorf("to %q in the clear: %q %v", said, answer, err)
		}
	}
	put("second")
	until("second", "the certificate was renewed")
	k.write("key.pem", "no key")
	until("second", "the one before stays")
	put("third")
	until("third", "")
}

// What is said of a broken contract quotes the answer: the caller is told, and the log not.
func TestABrokenContractIsNotQuotedInTheLog(t *testing.T) {
	k := newKeyed(t, "store: {content: none, keep: 30d}\n")
	key := k.newKey("shop")
	s := k.serve("--log", "json")
	broken := `{"model": "right", "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"properties": {"label": {"enum": ["a"]}}}}}}`
	if status, answer, _ := s.ask(key, "/v1/chat/completions", broken); status != 422 || !strings.Contains(answer, `got \"bug\"`) {
		t.Errorf("%d %s", status, answer)
	}
	s.end()
	if log := s.log.String(); strings.Contains(log, `bug`) {
		t.Errorf("the log says %s", log)
	}
}
