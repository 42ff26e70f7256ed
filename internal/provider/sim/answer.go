package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// answer writes the answer to a request, right or wrong as it is drawn.
func (m *model) answer(d draw, req llm.Request) (string, error) {
	if req.Output.Kind == llm.OutputEmbedding {
		return embedding(req), nil
	}
	right := d.of("right").share() < m.accuracy
	malformed := d.of("malformed").share() < m.o.Malformed
	switch req.Output.Kind {
	case llm.OutputJSON:
		return m.jsonAnswer(d, req, right, malformed)
	case llm.OutputNumber:
		text := numberAnswer(d, req.Hint, right)
		if malformed {
			text = breakForm(text, nil, nil, d)
		}
		return text, nil
	case llm.OutputBoolean, llm.OutputList:
		req.Output.Schema = req.Output.ValueSchema()
		return m.jsonAnswer(d, req, right, malformed)
	case llm.OutputLabel:
		return m.labelAnswer(d, req, right, malformed)
	case llm.OutputCode:
		text := "```" + req.Output.Language + "\n" + textAnswer(d, req.Hint, right) + "\n```"
		if malformed {
			text = breakForm(text, nil, nil, d)
		}
		return text, nil
	}
	return textAnswer(d, req.Hint, right), nil
}

// labelAnswer is a label as it stands in the enum, without the quotes of JSON.
func (m *model) labelAnswer(d draw, req llm.Request, right, malformed bool) (string, error) {
	req.Output.Schema = req.Output.ValueSchema()
	text, err := m.jsonAnswer(d, req, right, false)
	if err != nil {
		return "", err
	}
	var label string
	if json.Unmarshal([]byte(text), &label) == nil {
		text = label
	}
	if malformed {
		text = breakForm(text, nil, nil, d)
	}
	return text, nil
}

func (m *model) jsonAnswer(d draw, req llm.Request, right, malformed bool) (string, error) {
	root, err := m.schemas.get(req.Output.Schema)
	if err != nil {
		return "", err
	}
	s := newMaker(root)
	known := req.Hint != nil
	value := s.example(s.root, req.Hint, known, d.of("example"), 0)
	if known && !right {
		value = s.spoil(value, req.Hint, d.of("wrong"))
	}
	if object, ok := value.(map[string]any); ok && m.o.Confidence != "" {
		object[m.o.Confidence] = confidence(right || !known, d.of("confidence"))
	}
	text := marshal(value)
	if malformed {
		fields, _ := value.(map[string]any)
		text = breakForm(text, fields, s.resolve(s.root, req.Hint, known).required(), d.of("form"))
	}
	return text, nil
}

// confidence draws how sure a model says it is, in hundredths: of a right answer
// from 0.70 to 0.99, of a wrong one from 0.20 to 0.69, and one in ten of both as if
// it were the other.
func confidence(right bool, d draw) json.Number {
	if d.of("misjudged").below(10) == 0 {
		right = !right
	}
	hundredths := 20 + d.of("hundredths").below(50)
	if right {
		hundredths = 70 + d.of("hundredths").below(30)
	}
	return json.Number(fmt.Sprintf("0.%02d", hundredths))
}

func numberAnswer(d draw, hint any, right bool) string {
	anywhere := rangeOf(nil)
	if hint == nil {
		return string(anywhere.pick(d.of("number")))
	}
	text := textOf(hint)
	if right {
		return text
	}
	if other, ok := anywhere.near(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), d.of("wrong")); ok {
		return string(other)
	}
	return string(anywhere.pick(d.of("number")))
}

var sentences = []string{
	"This is a simulated answer.", "I looked into it, and this is what I found.", "Here is a short answer.",
	"That depends on the details.", "Yes, that is possible.", "No, that is not possible.",
}

func textAnswer(d draw, hint any, right bool) string {
	if hint == nil {
		return sentences[d.of("sentence").below(len(sentences))]
	}
	text := textOf(hint)
	if right {
		return text
	}
	if other, ok := (node{}).otherText(text, d.of("wrong")); ok {
		return other.(string)
	}
	return "unknown"
}

// textOf is a golden as a model would write it.
func textOf(hint any) string {
	if text, ok := hint.(string); ok {
		return text
	}
	return marshal(hint)
}

// numberText is a number of any type as its digits.
func numberText(value any) string {
	if number, ok := value.(json.Number); ok {
		return string(number)
	}
	return fmt.Sprint(value)
}

// marshal writes compact JSON with its keys in order.
func marshal(value any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value) // a hint that is no JSON value
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func sortedNames(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }
