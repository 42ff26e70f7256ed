package cache

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/llm"
)

// decided says of every field of a request whether it enters the key.
var decided = map[string]bool{
	"Prompt.Name": false, "Prompt.Version": false, "Prompt.Hash": true,
	"Vars":  false, // they are in the messages
	"Model": false, // what it stands for is

	"Messages.Role": true, "Messages.Name": true, "Messages.Parts.Kind": true, "Messages.Parts.Text": true,
	"Messages.Parts.Media.Type": true, "Messages.Parts.Media.Name": true, "Messages.Parts.Media.URL": true, "Messages.Parts.Media.Detail": true, "Messages.Parts.Media.Data": true,
	"Messages.Parts.ToolCall.ID": true, "Messages.Parts.ToolCall.Name": true, "Messages.Parts.ToolCall.Arguments": true,
	"Messages.Parts.ToolResult.ID": true, "Messages.Parts.ToolResult.Name": true, "Messages.Parts.ToolResult.Content": true,

	"Options": true, "Output.Kind": true, "Output.Schema": true,
	"Output.Items": true, "Output.Enum": true, "Output.Language": true, "Output.Pattern": true,
	"Output.Repair": false, "Output.Coerce": false, // what was repaired is not kept, and the rest needs none
	"Output.Reask":      false, // asked again it is another request
	"Output.Told":       true,  // no instructions are added
	"Output.Optimistic": false, // when, not what
	"Tools.List.Name":   true, "Tools.List.Description": true, "Tools.List.Parameters": true, "Tools.List.Strict": true, "Tools.Choice": true, "Tools.OneAtATime": true,
	"Repeat": true, "Tenant": true,
	"Reuse":      false, // says what to do with an answer
	"Reask":      false, // such a request passes the cache by
	"Origin.Run": false, "Origin.Suite": false, "Origin.Case": false, "Origin.Check": false,
	"Tags": false, "Sticky": false, "Step": false, "Recorded": false, // they choose the model, which is resolved
	"Key":  false,              // says who pays
	"User": false, "ID": false, // never sent
	"Live": false, "KeepAlive": false, "Timeouts.Connect": false, "Timeouts.FirstToken": false, "Timeouts.Idle": false, // when, not what
	"Hint": false, // never sent
}

func TestEveryFieldOfARequestIsDecidedOn(t *testing.T) {
	fields := leaves(reflect.TypeFor[llm.Request](), "")
	for _, field := range fields {
		enters, ok := decided[field]
		if !ok {
			t.Errorf("llm.Request.%s: say in decided whether it can change an answer, and put it into the key if so", field)
			continue
		}
		var req llm.Request
		fill(reflect.ValueOf(&req).Elem())
		before := Key(req, "m")
		change(t, reflect.ValueOf(&req).Elem(), strings.Split(field, "."))
		if changed := Key(req, "m") != before; changed != enters {
			t.Errorf("another %s gives another key: %v, want %v", field, changed, enters)
		}
	}
	for field := range maps.Keys(decided) {
		if !slices.Contains(fields, field) {
			t.Errorf("there is no field %s any more", field)
		}
	}
}

// leaves lists the fields of a type by their paths; slices and pointers are looked
// through where they lead to a struct.
func leaves(typ reflect.Type, path string) []string {
	inner := typ
	for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
		inner = inner.Elem()
	}
	if inner.Kind() != reflect.Struct {
		return []string{path}
	}
	var found []string
	for i := range inner.NumField() {
		name := inner.Field(i).Name
		if path != "" {
			name = path + "." + name
		}
		found = append(found, leaves(inner.Field(i).Type, name)...)
	}
	return found
}

// fill gives every field a value: slices have one element, pointers lead somewhere.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
		if req, ok := v.Addr().Interface().(*[]llm.ToolSpec); ok {
			(*req)[0].Parameters = json.RawMessage("1") // written as JSON, which it must be
		}
	default:
		set(v, 1)
	}
}

// set gives a leaf its n-th value.
func set(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", n))
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint8:
		v.SetUint(uint64(n))
	case reflect.Interface:
		v.Set(reflect.ValueOf(n))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		if value.Kind() == reflect.Slice {
			value.SetBytes(fmt.Append(nil, n))
		} else {
			value.Set(reflect.ValueOf(n))
		}
		v.SetMapIndex(reflect.ValueOf("a").Convert(v.Type().Key()), value)
	default:
		panic(fmt.Sprintf("a field of kind %s: teach set about it", v.Kind()))
	}
}

func change(t *testing.T, v reflect.Value, path []string) {
	t.Helper()
	for _, name := range path {
		for v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
			if v.Kind() == reflect.Pointer {
				v = v.Elem()
			} else {
				v = v.Index(0)
			}
		}
		v = v.FieldByName(name)
	}
	if raw, ok := v.Addr().Interface().(*json.RawMessage); ok {
		*raw = json.RawMessage("2")
		return
	}
	if v.Kind() == reflect.Slice {
		v = v.Index(0)
	}
	set(v, 2)
}

func TestWhatAKeyTellsApart(t *testing.T) {
	text := func(texts ...string) llm.Request {
		var req llm.Request
		for _, text := range texts {
			req.Messages = append(req.Messages, llm.Text(llm.User, text))
		}
		return req
	}
	part := func(p llm.Part) llm.Request { return llm.Request{Messages: []llm.Message{{Parts: []llm.Part{p}}}} }
	option := func(name, value string) llm.Request {
		return llm.Request{Options: llm.Options{name: json.RawMessage(value)}}
	}
	seen := map[string]string{}
	for name, key := range map[string]string{
		"nothing":               Key(llm.Request{}, "m"),
		"another model":         Key(llm.Request{}, "n"),
		"a message":             Key(text("ab"), "m"),
		"two messages":          Key(text("a", "b"), "m"),
		"a text moved on":       Key(text("", "ab"), "m"),
		"bytes that are not ut": Key(text("a\xff"), "m"),
		"other such bytes":      Key(text("a\xfe"), "m"),
		"a part":                Key(part(llm.Part{}), "m"),
		"an empty media":        Key(part(llm.Part{Media: &llm.Media{}}), "m"),
		"an empty tool call":    Key(part(llm.Part{ToolCall: &llm.ToolCall{}}), "m"),
		"an empty tool result":  Key(part(llm.Part{ToolResult: &llm.ToolResult{}}), "m"),
		"an option":             Key(option("seed", "1"), "m"),
		"another option":        Key(option("see", "d1"), "m"),
		"an option of 1.0":      Key(option("seed", "1.0"), "m"),
		"a tenant":              Key(llm.Request{Tenant: "x"}, "m"),
		"a prompt":              Key(llm.Request{Prompt: llm.PromptRef{Hash: "x"}}, "m"),
	} {
		if other, twice := seen[key]; twice {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[key] = name
	}
}

func TestEqualRequestsHaveEqualKeys(t *testing.T) {
	req := llm.Request{Options: llm.Options{}}
	for i := range 20 { // the order of a map is another every time
		req.Options[fmt.Sprint("o", i)] = json.RawMessage("1")
	}
	for range 20 {
		if Key(req, "m") != Key(llm.Request{Options: maps.Clone(req.Options)}, "m") {
			t.Fatal("the order of the options counts")
		}
	}
	for name, same := range map[string]llm.Request{
		"no options":     {Options: llm.Options{}},
		"no messages":    {Messages: []llm.Message{}},
		"the usual kind": {Output: llm.Output{Kind: llm.OutputText}},
	} {
		if Key(same, "m") != Key(llm.Request{}, "m") {
			t.Errorf("%s: another key than that of nothing said", name)
		}
	}
}

// The key stands in the files of users: another one for the same request loses
// what they keep, and needs another keyVersion.
func TestKeyStaysTheSame(t *testing.T) {
	var req llm.Request
	fill(reflect.ValueOf(&req).Elem())
	req.Tools, req.Output.Told, req.Messages[0].Parts[0].Media.Detail = llm.Tools{}, false, ""
	const detailed = "88ee58ff199a12a67519f3e4183861cb249042fc1d5512c8b4b171ef73a3e83e"
	if got := Key(req, "up/one"); got != detailed {
		t.Errorf("the key is %s, want %s", got, detailed)
	}
	req.Output = llm.Output{Kind: req.Output.Kind, Schema: req.Output.Schema}
	const plain = "06d312f0a1c468701425021d6fbc08612a8833971dd180b1dec41e1310ac8ceb"
	if got := Key(req, "up/one"); got != plain {
		t.Errorf("without details the key is %s, want %s", got, plain)
	}
}
