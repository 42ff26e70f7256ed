// Package redact takes secrets and personal data out of texts: what follows a form of
// its own (keys, tokens, e-mail addresses, phone numbers, accounts, cards, addresses on
// the network) is replaced by a placeholder. Names and postal addresses have no form,
// and stay. It imports the standard library alone.
package redact

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind says what was taken out.
type Kind string

// The kinds.
const (
	Secret Kind = "secret" // a key, a token, a password
	Email  Kind = "email"
	Phone  Kind = "phone"
	IBAN   Kind = "iban" // its checksum holds
	Card   Kind = "card" // likewise
	SSN    Kind = "ssn"  // of the United States
	IP     Kind = "ip"
	User   Kind = "user" // a name that was given to New
)

// Redactor takes data out of the texts that belong together, such as those of one case:
// the same value has the same placeholder in all of them, [email-1], [email-2], …, so
// that they make sense still. It is for one goroutine.
type Redactor struct {
	users  []string
	placed map[Kind]map[string]string // by the value as it is compared
	counts map[Kind]int
}

// New makes a redactor. Users are names to take out as well wherever they stand as a
// word of their own; those of less than three characters stay.
func New(users ...string) *Redactor {
	r := &Redactor{placed: map[Kind]map[string]string{}, counts: map[Kind]int{}}
	for _, user := range users {
		if len(user) >= 3 {
			r.users = append(r.users, user)
		}
	}
	return r
}

// Counts says how many values were taken out, by kind, each place counted.
func (r *Redactor) Counts() map[Kind]int { return maps.Clone(r.counts) }

// span is a part of a text that is taken out.
type span struct {
	from, to int
	kind     Kind
	same     string // what equal values have in common
}

// Text gives a text without what was found in it. Of two finds that overlap the one
// whose rule comes first is taken, but a user's name does not keep a longer find from
// going as a whole: what else stands in jane@doe.example says as much of her.
func (r *Redactor) Text(text string) string {
	spans := r.find(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.from])
		b.WriteString(r.placeholder(s))
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}

// find gives what a text has, in its order, without overlaps.
func (r *Redactor) find(text string) []span {
	if len(text) < 3 {
		return nil
	}
	var found []span
	add := func(s span) {
		for _, other := range found {
			if s.from < other.to && other.from < s.to {
				return
			}
		}
		found = append(found, s)
	}
	for _, user := range r.users {
		findWord(text, user, add)
	}
	for i := range rules {
		rules[i].find(text, func(s span) {
			found = slices.DeleteFunc(found, func(user span) bool {
				return user.kind == User && s.from <= user.from && user.to <= s.to && s.to-s.from > user.to-user.from
			})
			add(s)
		})
	}
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	return found
}

// findWord finds a name that stands alone.
func findWord(text, word string, add func(span)) {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return
		}
		from := at + i
		at = from + len(word)
		if !wordy(before(text, from)) && !wordy(after(text, at)) {
			add(span{from, at, User, word})
		}
	}
}

func (r *Redactor) placeholder(s span) string {
	r.counts[s.kind]++
	known := r.placed[s.kind]
	if known == nil {
		known = map[string]string{}
		r.placed[s.kind] = known
	}
	if _, ok := known[s.same]; !ok {
		known[s.same] = fmt.Sprintf("[%s-%d]", s.kind, len(known)+1)
	}
	return known[s.same]
}

// Value gives a JSON value without what was found in its strings, keys and numbers. A
// number in which something was found becomes a string; a value in which nothing was
// is the same as before.
func (r *Redactor) Value(value any) any {
	switch v := value.(type) {
	case string:
		return r.Text(v)
	case json.Number:
		if clean := r.Text(string(v)); clean != string(v) {
			return clean
		}
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = r.Value(item)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) { // placeholders are numbered as they come
			clean := r.Text(key)
			for _, taken := object[clean]; taken; _, taken = object[clean] {
				clean += "'"
			}
			object[clean] = r.Value(v[key])
		}
		return object
	}
	return value
}
