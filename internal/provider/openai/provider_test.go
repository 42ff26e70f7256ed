package openai

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
)

func TestSecretsOfHeadersAndURL(t *testing.T) {
	secrets := []string{"tok-12345", "plain-secret", "hunter22"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, `{"error":{"message":"seen `+strings.Join(secrets, " ")+`"}}`, 400)
	}))
	defer server.Close()
	p := New(Options{
		Name: "acme", BaseURL: strings.Replace(server.URL, "://", "://ann:hunter22@", 1),
		Headers: map[string]string{"X-Auth": "Bearer tok-12345", "X-Key": "plain-secret"},
	})
	defer p.Close()
	_, err := ask(t, p)
	if want := `provider "acme" answered 400: seen *** *** ***`; fault.As(err).Message != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestOptionsNoRequestCanBeMadeFrom(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		class   fault.Class
	}{
		"no URL":            {Options{}, fault.BadRequest},
		"no scheme":         {Options{BaseURL: "api.example.com/v1"}, fault.BadRequest},
		"another scheme":    {Options{BaseURL: "ftp://api.example.com"}, fault.BadRequest},
		"a query":           {Options{BaseURL: "http://x.test/v1?a=hunter22"}, fault.BadRequest},
		"a broken key":      {Options{BaseURL: "http://x.test/v1", APIKey: "hunter22\n"}, fault.Auth},
		"a broken header":   {Options{BaseURL: "http://x.test/v1", Headers: map[string]string{"X": "hunter22\r\n"}}, fault.BadRequest},
		"a broken password": {Options{BaseURL: "http://a:hunter22\x7f@x.test"}, fault.BadRequest},
	} {
		_, err := ask(t, New(test.options))
		if fault.ClassOf(err) != test.class || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
