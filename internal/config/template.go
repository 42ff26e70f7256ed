package config

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// template is text with references: literals and ${env:NAME} or ${file:path}.
type template struct {
	source string
	parts  []part
	place  fault.Place
}

// part is a literal, or a reference of a scheme.
type part struct {
	scheme string // "" for a literal
	text   string
}

// maxSecretFile bounds what ${file:…} reads, in bytes.
const maxSecretFile = 64 << 10

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseTemplate never repeats a literal in an error: it may be the secret.
func parseTemplate(n strictyaml.Node) (template, error) {
	t := template{source: n.Text(), place: n.Place()}
	rest := t.source
	for rest != "" {
		literal, after, found := strings.Cut(rest, "${")
		if literal != "" {
			t.parts = append(t.parts, part{text: literal})
		}
		if !found {
			break
		}
		inside, next, closed := strings.Cut(after, "}")
		if !closed {
			return template{}, n.Errorf("a reference is not closed").WithHint("write ${env:NAME} or ${file:path}")
		}
		reference, err := parseReference(n, inside)
		if err != nil {
			return template{}, err
		}
		t.parts = append(t.parts, reference)
		rest = next
	}
	return t, nil
}

func parseReference(n strictyaml.Node, inside string) (part, error) {
	scheme, name, _ := strings.Cut(inside, ":")
	switch scheme {
	case "env":
		if !envName.MatchString(name) {
			return part{}, n.Errorf("${env:%s} does not name an environment variable", cut(name)).
				WithHint("a name has letters, digits and _, and does not begin with a digit")
		}
	case "file":
		name = path.Clean(name)
		if !fs.ValidPath(name) || name == "." {
			return part{}, n.Errorf("${file:%s} does not name a file of the project", cut(name)).
				WithHint("the path is relative to the project, with forward slashes")
		}
	default:
		return part{}, n.Errorf("${%s…} is not a reference that is known", cut(scheme)).
			WithHint("%s", fault.Allowed(scheme, []string{"env", "file"}))
	}
	return part{scheme: scheme, text: name}, nil
}

func (t *template) refers() bool {
	for _, p := range t.parts {
		if p.scheme != "" {
			return true
		}
	}
	return false
}

func (t *template) resolve(lookupEnv func(string) (string, bool), root fs.FS) (string, error) {
	var b strings.Builder
	var problems fault.List
	for _, p := range t.parts {
		value := p.text
		var err error
		switch p.scheme {
		case "env":
			value, err = t.fromEnv(p.text, lookupEnv)
		case "file":
			value, err = t.fromFile(p.text, root)
		}
		problems.Add(err)
		b.WriteString(value)
	}
	if err := problems.Err(); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (t *template) fromEnv(name string, lookupEnv func(string) (string, bool)) (string, error) {
	value, set := lookupEnv(name)
	switch {
	case !set:
		return "", t.unreached("the environment variable %s is not set", name).WithHint("export %s=…", name)
	case value == "":
		return "", t.unreached("the environment variable %s is empty", name).WithHint("export %s=…", name)
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", t.unreached("the environment variable %s holds a line break or another control character", name)
	}
	return value, nil
}

func (t *template) fromFile(name string, root fs.FS) (string, error) {
	data, err := readBounded(root, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", t.unreached("the file %s is not there", name).Because(err)
	case err != nil:
		return "", t.unreached("the file %s cannot be read: %v", name, reason(err)).Because(err)
	case len(data) > maxSecretFile:
		return "", t.unreached("the file %s is too long for a secret: more than %d KB", name, maxSecretFile>>10)
	}
	value := strings.TrimRight(string(data), "\r\n")
	switch {
	case value == "":
		return "", t.unreached("the file %s is empty", name)
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", t.unreached("the file %s holds more than one line or a control character", name)
	}
	return value, nil
}

// unreached is of class Auth: no file is wrong, but whoever is to be asked cannot be, from
// this machine and as it is now.
func (t *template) unreached(format string, args ...any) *fault.Error {
	failure := fault.At(t.place, format, args...)
	failure.Class = fault.Auth
	return failure
}

// readBounded reads one byte more than is allowed, so that too much is seen.
func readBounded(root fs.FS, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxSecretFile+1))
}
