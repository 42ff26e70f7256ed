package config

import (
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// hidden is what a secret prints as, everywhere.
const hidden = "***"

// Secret is text made of references, "Bearer ${env:KEY}", that is resolved late
// and never printed. It stands inside a function, because fmt follows pointers in
// private fields, past every method of theirs, and would print what they hold.
type Secret struct{ open func() *template }

// IsSet reports whether there is a secret at all.
func (s Secret) IsSet() bool { return s.open != nil }

func (s Secret) refers() bool { return s.open().refers() }

// Resolve gives the secret in plain; "" if it is not set. Relative paths of
// ${file:…} are under root. An error is of class Auth and names the variable or the
// file, never its content.
func (s Secret) Resolve(lookupEnv func(string) (string, bool), root fs.FS) (string, error) {
	if !s.IsSet() {
		return "", nil
	}
	return s.open().resolve(lookupEnv, root)
}

// UnmarshalNode reads the references.
func (s *Secret) UnmarshalNode(n strictyaml.Node) error {
	if n.Kind() != strictyaml.String {
		return n.Errorf("want a string, got %s", n.Kind()) // without the value
	}
	t, err := parseTemplate(n)
	if err != nil {
		return err
	}
	s.open = func() *template { return &t }
	return nil
}

// Format prints *** under every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

func (s Secret) String() string { return hidden }

// MarshalText hides the secret from JSON, XML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Text is a string that may hold references, and is no secret by itself: it
// prints as it stands in the file.
type Text struct{ template }

// IsSet reports whether there is a text at all.
func (t Text) IsSet() bool { return t.source != "" }

// String is the text with its references as they were written.
func (t Text) String() string { return t.source }

// Resolve follows the references, as Secret.Resolve does.
func (t Text) Resolve(lookupEnv func(string) (string, bool), root fs.FS) (string, error) {
	return t.resolve(lookupEnv, root)
}

// UnmarshalNode reads the text.
func (t *Text) UnmarshalNode(n strictyaml.Node) error {
	if n.Kind() != strictyaml.String || n.Text() == "" {
		return n.Mismatch("text")
	}
	parsed, err := parseTemplate(n)
	t.template = parsed
	return err
}

// refuseReference says so where a reference would go to the wire as it stands.
func refuseReference(n strictyaml.Node, problems *fault.List) {
	if t, err := parseTemplate(n); err != nil || t.refers() {
		problems.Add(n.Errorf("a reference is not followed here").WithHint("${env:…} and ${file:…} may stand in base_url, api_key and headers"))
	}
}
