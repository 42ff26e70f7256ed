package config

import (
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// The kinds of providers.
const (
	KindOpenAI = "openai" // any server that speaks OpenAI's chat completions
	KindSim    = "sim"    // simulated models, without a network
)

// OpenAIBaseURL is where a provider of kind openai is found when it has no base_url.
const OpenAIBaseURL = "https://api.openai.com/v1"

// Provider is one server.
type Provider struct {
	Kind    string            `yaml:"kind,required" oneof:"openai sim"`
	BaseURL Text              `yaml:"base_url"` // up to, and without, /chat/completions
	APIKey  Secret            `yaml:"api_key"`
	Headers map[string]Secret `yaml:"headers"` // sent with every request
	Place   fault.Place       `yaml:",place"`
}

// AtOpenAI reports that it is OpenAI's own server, as far as the file says it: an address
// that is a reference may be anybody's.
func (p *Provider) AtOpenAI() bool {
	if p.Kind != KindOpenAI {
		return false
	}
	if !p.BaseURL.IsSet() {
		return true
	}
	u, err := url.Parse(p.BaseURL.String())
	if err != nil || p.BaseURL.refers() || u.Port() != "" && u.Port() != "443" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") // of a region
}

// UnmarshalNode reads a provider and checks it.
func (p *Provider) UnmarshalNode(n strictyaml.Node) error {
	type plain Provider
	var problems fault.List
	problems.Add(n.Decode((*plain)(p)))
	switch p.Kind {
	case KindSim:
		for _, key := range []string{"base_url", "api_key", "headers"} {
			if given := n.Get(key); given.Exists() {
				problems.Add(given.Errorf("a simulated provider has no %s", key).WithHint("remove it, or say kind: openai"))
			}
		}
	case KindOpenAI:
		p.checkServer(n, &problems)
	}
	return problems.Err()
}

func (p *Provider) checkServer(n strictyaml.Node, problems *fault.List) {
	if key := n.Get("api_key"); key.Kind() == strictyaml.String && p.APIKey.IsSet() && !p.APIKey.refers() {
		problems.Add(literalSecret(key, "api_key"))
	}
	for _, field := range n.Get("headers").Fields() {
		value := p.Headers[field.Key]
		switch {
		case !validHeaderName(field.Key):
			problems.Add(fault.At(field.Place, "%q is not the name of a header", cut(field.Key)))
		case value.IsSet() && !value.refers() && carriesSecret(field.Key):
			problems.Add(literalSecret(field.Value, field.Key))
		}
	}
	base := n.Get("base_url")
	switch {
	case p.BaseURL.IsSet() && !p.BaseURL.refers():
		problems.Add(checkURL(base.Place(), p.BaseURL.String()))
	case !base.Exists() && !n.Get("api_key").Exists() && !n.Get("headers").Exists():
		problems.Add(n.Errorf("a provider at %s needs an api_key", OpenAIBaseURL).
			WithHint(`api_key: "${env:OPENAI_API_KEY}", or the base_url of another server`))
	}
}

func literalSecret(n strictyaml.Node, what string) *fault.Error {
	return n.Errorf("%s is a secret and must not stand in the file", what).
		WithHint(`refer to it: "${env:NAME}" or "${file:path}"`)
}

// checkURL never repeats the address: it may hold a password.
func checkURL(place fault.Place, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fault.At(place, "base_url is not an address").WithHint("it begins with http:// or https:// and has a host: %s", OpenAIBaseURL)
	case u.User != nil:
		return fault.At(place, "base_url holds a user name or password").WithHint(`put it into headers: {Authorization: "${env:NAME}"}`)
	case u.RawQuery != "" || u.Fragment != "":
		return fault.At(place, "base_url cannot have a query or a fragment").WithHint("it is the address up to, and without, /chat/completions")
	}
	return nil
}

func validHeaderName(name string) bool {
	return name != "" && len(name) <= 100 && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	})
}

// carriesSecret knows the headers whose value must be a reference.
func carriesSecret(header string) bool {
	name := strings.ToLower(textproto.CanonicalMIMEHeaderKey(header))
	return slices.ContainsFunc([]string{"authorization", "cookie", "key", "token", "secret", "password"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}
