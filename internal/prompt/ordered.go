package prompt

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Schemas and examples keep the order in which their author wrote them: models
// follow it.

// jsonOf writes a YAML value as compact JSON, mappings in their order. What JSON
// cannot say (.inf, .nan) is an error at its place.
func jsonOf(n strictyaml.Node) (json.RawMessage, error) {
	var b bytes.Buffer
	if err := writeNode(&b, n); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func writeNode(b *bytes.Buffer, n strictyaml.Node) error {
	switch n.Kind() {
	case strictyaml.Mapping:
		b.WriteByte('{')
		for i, field := range n.Fields() {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, field.Key)
			b.WriteByte(':')
			if err := writeNode(b, field.Value); err != nil {
				return err
			}
		}
		b.WriteByte('}')
		return nil
	case strictyaml.List:
		b.WriteByte('[')
		for i, item := range n.Items() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeNode(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	}
	value := n.Value()
	if text, isText := value.(string); isText {
		if n.Kind() == strictyaml.Number {
			return n.Errorf("JSON has no number %s", text)
		}
		writeString(b, text)
		return nil
	}
	raw, err := json.Marshal(value)
	b.Write(raw)
	return err
}

func writeString(b *bytes.Buffer, text string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string in memory always encodes
	b.Truncate(b.Len() - 1)  // the encoder's line end
}

// compactJSON rewrites JSON text in the same form as jsonOf.
func compactJSON(raw []byte) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var b bytes.Buffer
	type level struct {
		object bool
		items  int
	}
	var levels []level
	for {
		t, err := decoder.Token()
		if err != nil {
			return b.Bytes(), err
		}
		closing := t == json.Delim('}') || t == json.Delim(']')
		if n := len(levels) - 1; n >= 0 && !closing {
			l := &levels[n]
			switch {
			case l.object && l.items%2 == 1:
				b.WriteByte(':')
			case l.items > 0:
				b.WriteByte(',')
			}
			l.items++
		}
		switch t := t.(type) {
		case json.Delim:
			b.WriteString(t.String())
			if closing {
				levels = levels[:len(levels)-1]
			} else {
				levels = append(levels, level{object: t == '{'})
			}
		case string:
			writeString(&b, t)
		case json.Number:
			b.WriteString(t.String())
		case nil:
			b.WriteString("null")
		case bool:
			b.WriteString(map[bool]string{true: "true", false: "false"}[t])
		}
		if len(levels) == 0 {
			return b.Bytes(), nil
		}
	}
}

// indentJSON writes JSON as lines that may stand in a YAML mapping under a key.
func indentJSON(raw json.RawMessage) string {
	var b bytes.Buffer
	b.WriteString("  ")
	if err := json.Indent(&b, raw, "  ", "  "); err != nil {
		return "  " + strings.TrimSpace(string(raw))
	}
	return b.String()
}
