package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// fields are the members of a body's object. What is taken out is known; what is left
// over is looked at last. Names count letter by letter, as encoding/json's do not.
type fields map[string]json.RawMessage

// take moves a member into a value; absent and null leave the value alone.
func (f fields) take(name string, into any, want string) error { return f.takeAt("", name, into, want) }

func (f fields) takeAt(at, name string, into any, want string) error {
	raw, ok := f[name]
	delete(f, name)
	if !ok || isNull(raw) {
		return nil
	}
	return decode(raw, strings.TrimPrefix(at+"."+name, "."), into, want)
}

// decode reads a value. What is wrong is said with its path.
func decode(raw json.RawMessage, at string, into any, want string) error {
	err := json.Unmarshal(raw, into)
	if err == nil {
		return nil
	}
	kind := (*json.UnmarshalTypeError)(nil)
	if !errors.As(err, &kind) {
		return invalid(at, "%s: want %s", at, want)
	}
	got, _, _ := strings.Cut(kind.Value, " ")
	inner := pathAt(raw, kind.Offset)
	if inner != "" {
		at, want = at+inner, wanted(kind.Type)
	}
	return invalid(at, "%s: want %s, got %s", at, want, gotWords[got])
}

// gotWords are encoding/json's words for what stands in a text.
var gotWords = map[string]string{
	"string": "a string", "number": "a number", "bool": "a boolean", "object": "an object", "array": "a list",
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// isNothing reports what clients write where there is nothing to say.
func isNothing(raw json.RawMessage) bool {
	text := string(bytes.TrimSpace(raw))
	return text == "null" || text == "[]"
}

// jsonObject is an object within a body, and where it stands there.
type jsonObject struct {
	at string
	fields
}

func readObject(raw json.RawMessage, at, want string) (jsonObject, error) {
	o := jsonObject{at: at}
	if err := decode(raw, at, &o.fields, want); err != nil {
		return o, err
	}
	if o.fields == nil {
		return o, invalid(at, "%s: want %s, got null", at, want)
	}
	return o, nil
}

// takeAll moves members into values.
func (o jsonObject) takeAll(members []member) error {
	for _, m := range members {
		if err := o.takeAt(o.at, m.name, m.into, m.want); err != nil {
			return err
		}
	}
	return nil
}

// read moves members into values, and refuses what is left over: it would be lost.
func (o jsonObject) read(members []member) error {
	if err := o.takeAll(members); err != nil {
		return err
	}
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if !isNothing(o.fields[name]) {
			return invalid(within(o.at, name), "%s is not passed on; %s", within(o.at, name), fault.Allowed(name, names))
		}
	}
	return nil
}

// member is a member of an object that is known.
type member struct {
	name string
	into any
	want string
}

// within names a member of a member: messages[0].content.
func within(path string, step any) string {
	switch step := step.(type) {
	case int:
		return fmt.Sprintf("%s[%d]", path, step)
	default:
		return strings.TrimPrefix(fmt.Sprintf("%s.%v", path, step), ".")
	}
}
