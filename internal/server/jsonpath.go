package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// jsonScan walks over JSON that is known to be valid, to find what encoding/json does
// not tell: a key that an object has twice, and where in the text an offset is.
type jsonScan struct {
	text  []byte
	at    int
	path  []step
	until int // the path of the last value that begins before it is wanted

	found string // that path
	twice string // the path of the first key that stands twice, "" for none
}

// step is a key of an object, or where in a list an item stands.
type step struct {
	key   string
	index int // -1 for a key
}

func (s *jsonScan) pathText() string {
	var b strings.Builder
	for _, step := range s.path {
		switch {
		case step.index >= 0:
			fmt.Fprintf(&b, "[%d]", step.index)
		case step.key == "": // or the path would be none
			b.WriteString(`.""`)
		default:
			b.WriteString("." + step.key)
		}
	}
	return b.String()
}

// keyTwice gives the path of a key that an object of valid JSON has twice, "" for none.
func keyTwice(text []byte) string {
	s := jsonScan{text: text}
	s.value()
	return s.twice
}

// pathAt gives the path of the value at an offset of valid JSON, as encoding/json counts
// them in its errors: ".content[0].type", "" for the whole.
func pathAt(text []byte, offset int64) string {
	s := jsonScan{text: text, until: int(offset)}
	s.value()
	return s.found
}

func (s *jsonScan) space() {
	for s.at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.at]) >= 0 {
		s.at++
	}
}

func (s *jsonScan) value() {
	s.space()
	if s.at < s.until {
		s.found = s.pathText()
	}
	if s.at >= len(s.text) {
		return
	}
	switch s.text[s.at] {
	case '{':
		s.object()
	case '[':
		s.list()
	case '"':
		s.quoted()
	default:
		for s.at < len(s.text) && strings.IndexByte(",]} \t\r\n", s.text[s.at]) < 0 {
			s.at++
		}
	}
}

// goesOn passes a comma, or the end of a list or an object.
func (s *jsonScan) goesOn() bool {
	s.space()
	s.at++
	return s.at < len(s.text) && s.text[s.at-1] == ','
}

// empty passes the beginning of a list or an object, and its end where nothing is in it.
func (s *jsonScan) empty() bool {
	s.at++
	s.space()
	if s.at < len(s.text) && (s.text[s.at] == ']' || s.text[s.at] == '}') {
		s.at++
		return true
	}
	return s.at >= len(s.text)
}

func (s *jsonScan) object() {
	if s.empty() {
		return
	}
	var few []string
	var many map[string]bool
	for more := true; more; more = s.goesOn() {
		s.space()
		key := s.key()
		s.path = append(s.path, step{key, -1})
		if slices.Contains(few, key) || many[key] {
			if s.twice == "" {
				s.twice = s.pathText()
			}
		}
		if few = append(few, key); len(few) > 16 {
			if many == nil {
				many = map[string]bool{}
			}
			for _, known := range few {
				many[known] = true
			}
			few = few[:0]
		}
		s.space()
		s.at++ // the colon
		s.value()
		s.path = s.path[:len(s.path)-1]
	}
}

func (s *jsonScan) list() {
	if s.empty() {
		return
	}
	i := 0
	for more := true; more; more = s.goesOn() {
		s.path = append(s.path, step{index: i})
		s.value()
		s.path = s.path[:len(s.path)-1]
		i++
	}
}

// quoted passes a text.
func (s *jsonScan) quoted() (escaped bool) {
	for s.at++; s.at < len(s.text) && s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	return escaped
}

func (s *jsonScan) key() string {
	begin := s.at
	escaped := s.quoted()
	raw := s.text[begin:min(s.at, len(s.text))]
	if !escaped && len(raw) >= 2 {
		return string(raw[1 : len(raw)-1])
	}
	var key string
	if json.Unmarshal(raw, &key) != nil {
		return string(raw)
	}
	return key
}
