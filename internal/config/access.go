package config

import (
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/textproto"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Access is what a provider needs to be called, with its secrets in plain. Like
// them it stands inside a function and prints as ***. The zero Access is empty.
type Access struct{ open func() *access }

type access struct {
	baseURL, apiKey string
	headers         map[string]string
}

// BaseURL has no slash at its end.
func (a Access) BaseURL() string { return a.values().baseURL }

// APIKey in plain, "" for none.
func (a Access) APIKey() string { return a.values().apiKey }

// Headers by canonical name, values in plain. The map is the caller's.
func (a Access) Headers() map[string]string { return maps.Clone(a.values().headers) }

func (a Access) values() *access {
	if a.open == nil {
		return &access{}
	}
	return a.open()
}

// Resolve follows the provider's references. It is called when the provider is
// really needed: a variable that is not set is an error of class Auth then. All problems
// are told at once.
func (p Provider) Resolve(lookupEnv func(string) (string, bool), root fs.FS) (Access, error) {
	found, err := p.follow(lookupEnv, root)
	if err != nil {
		return Access{}, err
	}
	return found, nil
}

// Known is what of the provider can be resolved: a reference that leads nowhere is "".
func (p Provider) Known(lookupEnv func(string) (string, bool), root fs.FS) Access {
	found, _ := p.follow(lookupEnv, root)
	return found
}

func (p Provider) follow(lookupEnv func(string) (string, bool), root fs.FS) (Access, error) {
	found := access{baseURL: OpenAIBaseURL}
	var problems fault.List
	resolve := func(t *template) string {
		text, err := t.resolve(lookupEnv, root)
		problems.Add(err)
		return text
	}
	if p.BaseURL.IsSet() {
		found.baseURL = strings.TrimRight(resolve(&p.BaseURL.template), "/")
		if len(problems) == 0 {
			problems.Add(checkURL(p.BaseURL.place, found.baseURL))
		}
	}
	if p.APIKey.IsSet() {
		found.apiKey = resolve(p.APIKey.open())
	}
	for _, name := range sortedNames(p.Headers) {
		if found.headers == nil {
			found.headers = map[string]string{}
		}
		found.headers[textproto.CanonicalMIMEHeaderKey(name)] = resolve(p.Headers[name].open())
	}
	return Access{open: func() *access { return &found }}, problems.Err()
}

// Format prints *** under every verb.
func (a Access) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

func (a Access) String() string { return hidden }

// MarshalText hides an access from JSON.
func (a Access) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides an access from slog.
func (a Access) LogValue() slog.Value { return slog.StringValue(hidden) }
