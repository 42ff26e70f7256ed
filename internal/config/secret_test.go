package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/fault"
)

const plain = "sk-very-secret"

var secretFiles = fstest.MapFS{"secrets/key.txt": {Data: []byte(plain + "\n")}}

func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func TestResolveProvider(t *testing.T) {
	c := load(t, "other.yaml")
	access, err := c.Providers["gateway"].Resolve(environment(map[string]string{"GATEWAY": "https://gw.example"}), secretFiles)
	if err != nil {
		t.Fatal(err)
	}
	if access.BaseURL() != "https://gw.example/v1" || access.APIKey() != "" || access.Headers()["Authorization"] != "Bearer "+plain || access.Headers()["X-Title"] != "llmx" {
		t.Errorf("got base %q, key %q, headers %v", access.BaseURL(), access.APIKey(), len(access.Headers()))
	}
	design := load(t, "design.yaml")
	access, err = design.Providers["openai"].Resolve(environment(map[string]string{"OPENAI_API_KEY": plain}), secretFiles)
	if err != nil || access.APIKey() != plain || access.BaseURL() != OpenAIBaseURL || access.Headers() != nil {
		t.Errorf("got base %q, the key %t, %v", access.BaseURL(), access.APIKey() == plain, err)
	}
	bare := loadText(t, "version: 1\nproviders: {a: {kind: openai, api_key: \"${env:K}\"}}\n")
	if access, err := bare.Providers["a"].Resolve(environment(map[string]string{"K": "k"}), nil); err != nil || access.BaseURL() != OpenAIBaseURL {
		t.Errorf("without base_url: %q, %v", access.BaseURL(), err)
	}
}

func TestResolveRefuses(t *testing.T) {
	tests := []struct{ reference, want string }{
		{"${env:UNSET}", "llmx.yaml:2:40: the environment variable UNSET is not set\n  export UNSET=…"},
		{"Bearer ${env:EMPTY}", "the environment variable EMPTY is empty"},
		{"${env:LINES}", "the environment variable LINES holds a line break"},
		{"${file:none.txt}", "llmx.yaml:2:40: the file none.txt is not there"},
		{"${file:empty.txt}", "the file empty.txt is empty"},
		{"${file:lines.txt}", "the file lines.txt holds more than one line"},
		{"${file:large.txt}", "the file large.txt is too long for a secret"},
		{"${file:dir}", "the file dir cannot be read"},
	}
	files := fstest.MapFS{
		"empty.txt": {Data: []byte("\n")}, "lines.txt": {Data: []byte(plain + "\n" + plain)},
		"large.txt": {Data: bytes.Repeat([]byte("x"), 1<<20)}, "dir/a": {},
	}
	lookup := environment(map[string]string{"EMPTY": "", "LINES": plain + "\r\nX-Evil: 1"})
	for _, test := range tests {
		c := loadText(t, "version: 1\nproviders: {a: {kind: openai, api_key: \""+test.reference+"\"}}\n")
		access, err := c.Providers["a"].Resolve(lookup, files)
		if err == nil || !strings.Contains(err.Error(), test.want) || fault.ClassOf(err).ExitCode() != fault.ExitUnjudged {
			t.Errorf("%s: got %v, want %q", test.reference, err, test.want)
		}
		if access.APIKey() != "" || err != nil && strings.Contains(err.Error(), plain) {
			t.Errorf("%s: the secret is out: %v", test.reference, err)
		}
	}
	both := loadText(t, "version: 1\nproviders: {a: {kind: openai, base_url: \"${env:U}\", api_key: \"${env:K}\"}}\n")
	_, err := both.Providers["a"].Resolve(environment(nil), files)
	if err == nil || strings.Count(err.Error(), "is not set") != 2 {
		t.Errorf("all that is missing is told at once: %v", err)
	}
	_, err = both.Providers["a"].Resolve(environment(map[string]string{"U": "ftp://" + plain, "K": "k"}), files)
	if err == nil || !strings.Contains(err.Error(), "base_url is not an address") || strings.Contains(err.Error(), plain) {
		t.Errorf("an address from the environment is checked: %v", err)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c := loadText(t, "version: 1\nproviders: {a: {kind: openai, base_url: http://x, api_key: \"literal-part-${env:K}\", headers: {X-Key: \"${env:K}\"}}}\n")
	provider := c.Providers["a"]
	access, err := provider.Resolve(environment(map[string]string{"K": plain}), nil)
	if err != nil {
		t.Fatal(err)
	}
	private := struct {
		key    Secret
		access Access
	}{provider.APIKey, access}
	values := []any{provider.APIKey, &provider.APIKey, provider, &provider, *c, private, access, &access, []Secret{provider.APIKey}, map[string]Secret{"k": provider.APIKey}}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
			check(t, fmt.Sprintf(verb, value))
		}
		data, err := json.Marshal(value)
		if err != nil {
			t.Errorf("%T: %v", value, err)
		}
		check(t, string(data))
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("value", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("value", "value", value)
		check(t, log.String())
	}
	if got := fmt.Sprint(provider.APIKey); got != hidden {
		t.Errorf("got %q, want %q", got, hidden)
	}
	if data, _ := json.Marshal(provider.APIKey); string(data) != `"***"` {
		t.Errorf("as JSON: %s", data)
	}
	if text, err := provider.APIKey.Resolve(environment(map[string]string{"K": plain}), nil); err != nil || text != "literal-part-"+plain {
		t.Errorf("resolved it is whole: %t, %v", text == "literal-part-"+plain, err)
	}
}

func check(t *testing.T, printed string) {
	t.Helper()
	for _, secret := range []string{plain, "literal-part", fmt.Sprintf("%x", plain), fmt.Sprintf("%X", plain), fmt.Sprintf("%x", "literal-part")} {
		if strings.Contains(printed, secret) {
			t.Errorf("the secret is printed: %.300s", printed)
		}
	}
}

func TestTextShowsItsReferences(t *testing.T) {
	base := load(t, "other.yaml").Providers["gateway"].BaseURL
	if diff := cmp.Diff("${env:GATEWAY}/v1", base.String()); diff != "" {
		t.Error(diff)
	}
	if text, err := base.Resolve(environment(map[string]string{"GATEWAY": "http://a"}), nil); err != nil || text != "http://a/v1" {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := (Secret{}).Resolve(nil, nil); text != "" || err != nil {
		t.Errorf("no secret: got %q, %v", text, err)
	}
}
