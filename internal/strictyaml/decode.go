package strictyaml

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Unmarshaler is a type that reads itself from a node. Its error may be a fault.List.
type Unmarshaler interface {
	UnmarshalNode(n Node) error
}

var (
	unmarshalerType = reflect.TypeFor[Unmarshaler]()
	nodeType        = reflect.TypeFor[Node]()
	placeType       = reflect.TypeFor[fault.Place]()
	durationType    = reflect.TypeFor[time.Duration]()
)

// Decode fills the value that dst points to, and returns every problem at once
// as a fault.List.
//
// A struct's fields are named by tags: `yaml:"name"`, `yaml:"name,required"`; a
// fault.Place with `yaml:",place"` gets the mapping's place, and the fields of a
// struct with `yaml:",inline"` are read as if they stood in its place. `oneof:"a b"` lists
// the allowed strings. A Node field keeps the value raw, an any field gets
// Node.Value, a time.Duration is written "500ms".
func (n Node) Decode(dst any) error {
	var problems fault.List
	decode(n, reflect.ValueOf(dst).Elem(), &problems)
	return problems.Err()
}

func decode(n Node, v reflect.Value, problems *fault.List) {
	if v.CanAddr() && v.Addr().Type().Implements(unmarshalerType) {
		problems.Add(v.Addr().Interface().(Unmarshaler).UnmarshalNode(n))
		return
	}
	switch v.Type() {
	case nodeType:
		v.Set(reflect.ValueOf(n))
		return
	case durationType:
		decodeDuration(n, v, problems)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if n.Kind() == Null {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		decode(n, v.Elem(), problems)
	case reflect.Interface:
		if value := n.Value(); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	case reflect.Struct:
		decodeStruct(n, v, problems)
	case reflect.Map:
		if !n.want(Mapping, problems) {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for _, field := range n.Fields() {
			item := reflect.New(v.Type().Elem()).Elem()
			decode(field.Value, item, problems)
			v.SetMapIndex(reflect.ValueOf(field.Key), item)
		}
	case reflect.Slice:
		if !n.want(List, problems) {
			return
		}
		items := n.Items()
		v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
		for i, item := range items {
			decode(item, v.Index(i), problems)
		}
	default:
		decodeScalar(n, v, problems)
	}
}

// slot is a field of a struct that a key of the mapping fills.
type slot struct {
	value    reflect.Value
	required bool
	oneof    []string
	seen     bool
}

func decodeStruct(n Node, v reflect.Value, problems *fault.List) {
	if !n.want(Mapping, problems) {
		return
	}
	slots := map[string]*slot{}
	names := n.slots(v, slots, nil)
	for _, field := range n.Fields() {
		s, known := slots[field.Key]
		if !known {
			problems.Add(fault.At(field.Place, "unknown key %q", field.Key).WithHint("%s", fault.Allowed(field.Key, names)))
			continue
		}
		s.seen = true
		before := len(*problems)
		decode(field.Value, s.value, problems)
		if len(*problems) == before && len(s.oneof) > 0 {
			checkOneOf(field.Value, s.oneof, problems)
		}
	}
	for _, name := range names {
		if s := slots[name]; s.required && !s.seen {
			problems.Add(n.Errorf("the key %q is missing", name))
		}
	}
}

// slots finds what the keys of a mapping may fill, and lists the names in order.
func (n Node) slots(v reflect.Value, slots map[string]*slot, names []string) []string {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "place" && field.Type == placeType:
			v.Field(i).Set(reflect.ValueOf(n.Place()))
		case options == "inline":
			names = n.slots(v.Field(i), slots, names)
		case name != "":
			slots[name] = &slot{value: v.Field(i), required: options == "required", oneof: strings.Fields(field.Tag.Get("oneof"))}
			names = append(names, name)
		}
	}
	return names
}

func checkOneOf(n Node, allowed []string, problems *fault.List) {
	for _, word := range allowed {
		if n.Text() == word {
			return
		}
	}
	problems.Add(n.Errorf("%q is not known here", n.Text()).WithHint("%s", fault.Allowed(n.Text(), allowed)))
}

// want reports whether the node is of the kind, and adds a problem if it is not.
func (n Node) want(kind Kind, problems *fault.List) bool {
	if n.Kind() == kind {
		return true
	}
	problems.Add(n.Mismatch(string(kind)))
	return false
}

// Mismatch is the error of a value of the wrong type; want says what it must be.
func (n Node) Mismatch(want string) *fault.Error {
	got := string(n.Kind())
	if n.Kind() == String && n.Text() == "" {
		got = "an empty string"
	} else if text := n.Text(); text != "" && n.Kind() != Null {
		got = fmt.Sprintf("%s (%s)", got, strconv.Quote(cut(text, 40)))
	}
	return n.Errorf("want %s, got %s", want, got)
}

func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func decodeDuration(n Node, v reflect.Value, problems *fault.List) {
	d, err := time.ParseDuration(n.Text())
	if days, ok := strings.CutSuffix(n.Text(), "d"); ok && err != nil {
		if whole, dayErr := strconv.ParseUint(days, 10, 16); dayErr == nil {
			d, err = time.Duration(whole)*24*time.Hour, nil
		}
	}
	if err != nil || n.Kind() != String {
		problems.Add(n.Mismatch("a duration such as 500ms, 30s, 24h or 90d"))
		return
	}
	if d < 0 {
		problems.Add(n.Errorf("a duration cannot be negative: %s", n.Text()))
		return
	}
	v.SetInt(int64(d))
}

func decodeScalar(n Node, v reflect.Value, problems *fault.List) {
	switch v.Kind() {
	case reflect.String:
		if n.want(String, problems) {
			v.SetString(n.Text())
		}
	case reflect.Bool:
		if n.want(Boolean, problems) {
			v.SetBool(strings.EqualFold(n.Text(), "true"))
		}
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.Text(), "_", ""), 0, 64)
		if n.Kind() != Number || err != nil {
			problems.Add(n.Mismatch("a whole number"))
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(strings.ReplaceAll(n.Text(), "_", ""), 64)
		if n.Kind() != Number || err != nil || f != f {
			problems.Add(n.Mismatch("a number"))
			return
		}
		v.SetFloat(f)
	default:
		panic("strictyaml: cannot decode into " + v.Type().String())
	}
}
