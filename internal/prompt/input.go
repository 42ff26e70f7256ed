package prompt

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Kind says what an input's value must be.
type Kind string

// The kinds of inputs.
const (
	KindString  Kind = "string"
	KindInteger Kind = "integer"
	KindNumber  Kind = "number"
	KindBoolean Kind = "boolean"
	KindArray   Kind = "array"
	KindObject  Kind = "object"
	KindThread  Kind = "thread" // a conversation: a list of messages of user, assistant and tool
	KindImage   Kind = "image"
	KindFile    Kind = "file"
)

func (k Kind) media() bool { return k == KindImage || k == KindFile }

// Input is a declared input of a prompt.
type Input struct {
	Name        string
	Kind        Kind
	Required    bool
	Default     any // a JSON value; nil where there is none
	Description string
	Place       fault.Place
}

var inputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readInputs reads inputs: in the order of the file.
func readInputs(n strictyaml.Node, problems *fault.List) []Input {
	if !n.Exists() {
		return nil
	}
	if n.Kind() != strictyaml.Mapping {
		problems.Add(n.Mismatch("a mapping from names to {kind, required, default, description}"))
		return nil
	}
	var inputs []Input
	for _, field := range n.Fields() {
		var raw struct {
			Kind        Kind            `yaml:"kind,required" oneof:"string integer number boolean array object thread image file"`
			Required    bool            `yaml:"required"`
			Default     strictyaml.Node `yaml:"default"`
			Description string          `yaml:"description"`
		}
		if !inputName.MatchString(field.Key) || reserved(field.Key) {
			problems.Add(fault.At(field.Place, "%q cannot name an input", field.Key).
				WithHint("letters, digits and _, and not a word of the template language"))
			continue
		}
		before := len(*problems)
		problems.Add(field.Value.Decode(&raw))
		if len(*problems) > before {
			// Known by its name all the same, so that its uses are no errors of their own.
			inputs = append(inputs, Input{Name: field.Key, Kind: KindString, Place: field.Place})
			continue
		}
		input := Input{Name: field.Key, Kind: raw.Kind, Required: raw.Required, Description: raw.Description, Place: field.Place}
		if raw.Default.Exists() && raw.Default.Kind() != strictyaml.Null {
			input.Default = raw.Default.Value()
			switch {
			case raw.Required:
				problems.Add(raw.Default.Errorf("the required input %q has a default", field.Key).WithHint("remove one of required and default"))
			case raw.Kind == KindThread || raw.Kind.media():
				problems.Add(raw.Default.Errorf("an input of kind %s cannot have a default", raw.Kind))
			default:
				if _, ok := scalar(raw.Kind, input.Default); !ok {
					problems.Add(raw.Default.Mismatch(kindWords[raw.Kind]))
				}
			}
		}
		inputs = append(inputs, input)
	}
	return inputs
}

func reserved(name string) bool {
	if expressionWords[name] || name == "loop" || name == "self" || name == "super" || name == "caller" {
		return true
	}
	for _, function := range functionNames {
		if name == function {
			return true
		}
	}
	return false
}

func findInput(inputs []Input, name string) *Input {
	for i := range inputs {
		if inputs[i].Name == name {
			return &inputs[i]
		}
	}
	return nil
}

func inputNames(inputs []Input) []string {
	names := make([]string, len(inputs))
	for i, input := range inputs {
		names[i] = input.Name
	}
	return names
}

// kindWords say what a kind wants.
var kindWords = map[Kind]string{
	KindString: "a string", KindInteger: "a whole number", KindNumber: "a number", KindBoolean: "a boolean",
	KindArray: "a list", KindObject: "a mapping", KindThread: "a list of messages",
	KindImage: "an image: a path, a URL, or {path|url|data, type, name}",
	KindFile:  "a file: a path, a URL, or {path|url|data, type, name}",
}

// scalar checks a value of the kinds that go into templates as they are. A whole
// number may be written 3.0.
func scalar(kind Kind, value any) (any, bool) {
	ok := false
	switch kind {
	case KindString:
		_, ok = value.(string)
	case KindBoolean:
		_, ok = value.(bool)
	case KindArray:
		_, ok = value.([]any)
	case KindObject:
		_, ok = value.(map[string]any)
	case KindNumber:
		ok = isNumber(value)
	case KindInteger:
		return wholeNumber(value)
	}
	return value, ok
}

func isNumber(value any) bool {
	switch value := value.(type) {
	case json.Number:
		_, err := strconv.ParseFloat(string(value), 64)
		return err == nil
	case float64:
		return !math.IsInf(value, 0) && !math.IsNaN(value)
	case int, int64:
		return true
	}
	return false
}

func wholeNumber(value any) (any, bool) {
	switch number := value.(type) {
	case json.Number:
		text := string(number)
		if strings.Trim(strings.TrimPrefix(text, "-"), "0123456789") == "" {
			return value, text != "" && text != "-"
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
			return value, false
		}
		return json.Number(strconv.FormatInt(int64(f), 10)), true
	case float64:
		if number != math.Trunc(number) || math.Abs(number) >= 1<<53 {
			return value, false
		}
		return int64(number), true
	case int, int64:
		return value, true
	}
	return value, false
}

// Parse reads a value that was given as text, as on a command line or in a CSV
// column: a string, image or file as it stands, anything else as JSON.
func (in Input) Parse(text string) (any, error) {
	if in.Kind == KindString || in.Kind.media() {
		return text, nil
	}
	if in.Kind == KindThread {
		messages, err := decodeThread("", []byte(text))
		if err != nil {
			return nil, fault.New(fault.Invalid, "the input %q: want %s, got %s", in.Name, kindWords[in.Kind], quote(clip(text))).
				WithHint("as JSON, or one message a line: %s", fault.As(err).Message)
		}
		return said(messages), nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil || decoder.More() {
		return nil, fault.New(fault.Invalid, "the input %q: want %s, got %s", in.Name, kindWords[in.Kind], quote(clip(text)))
	}
	return value, nil
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}
