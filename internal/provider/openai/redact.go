package openai

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSaid is how much of a vendor's message is passed on, in runes.
const maxSaid = 300

// minSecret is the length from which a value is taken for a secret: hiding a
// placeholder such as "x" would only garble what the vendor says.
const minSecret = 4

// redactor takes the secrets of a provider out of what others say.
type redactor struct {
	replace *strings.Replacer
	long    []string // those that are hidden in answers, too
}

// Secrets are what of a provider nobody may print, the longest first: its key, the
// values of its headers and the password in its address.
func Secrets(o Options) []string {
	secrets := []string{o.APIKey}
	for _, value := range o.Headers {
		secrets = append(secrets, value)
		if _, credential, ok := strings.Cut(value, " "); ok { // of "Bearer x"
			secrets = append(secrets, strings.TrimSpace(credential))
		}
	}
	if u, err := url.Parse(o.BaseURL); err == nil && u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, password, url.QueryEscape(password), url.PathEscape(password), u.User.String())
	}
	// Longer ones first, so that none is left with the tail of another.
	slices.SortFunc(secrets, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	return slices.DeleteFunc(slices.Compact(secrets), func(secret string) bool { return len(secret) < minSecret })
}

func newRedactor(o Options) redactor {
	var pairs, long []string
	for _, secret := range Secrets(o) {
		pairs = append(pairs, secret, "***")
		if len(secret) >= minVeiled {
			long = append(long, secret)
		}
	}
	return redactor{strings.NewReplacer(pairs...), long}
}

// clean makes a stranger's text fit for one line of an error: without secrets and
// control characters, at most maxSaid runes, without a final period. The cut comes
// last, so that it cannot leave half a secret.
func (r redactor) clean(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError {
			return ' '
		}
		return c
	}, text)
	text = r.replace.Replace(strings.Join(strings.Fields(text), " "))
	text = strings.TrimRight(text, ". ")
	if utf8.RuneCountInString(text) > maxSaid {
		text = string([]rune(text)[:maxSaid-1]) + "…"
	}
	return text
}
