package server

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// fields are the members of a body's object. What is taken out is known; what is left
// over is looked at last.
type fields map[string]json.RawMessage

// take moves a member into a value; absent and null leave the value alone.
func (f fields) take(name string, into any, want string) error {
	raw, ok := f[name]
	delete(f, name)
	if !ok || isNull(raw) {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return invalid(name, "%s: want %s", name, want)
	}
	return nil
}

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

// within names a member of a member: messages[0].content.
func within(path string, step any) string {
	switch step := step.(type) {
	case int:
		return fmt.Sprintf("%s[%d]", path, step)
	default:
		return fmt.Sprintf("%s.%v", path, step)
	}
}
