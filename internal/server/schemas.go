package server

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/llm"
)

// The bounds of what a request may have read as schemas, in bytes of one and of all, and
// of its tools. A schema of 64 KB takes a quarter of a second, once.
const (
	maxSchema  = 64 << 10
	maxSchemas = 256 << 10
	maxTools   = 128
)

// usable refuses a request whose schemas no answer can be held to, before anything is
// asked.
func (x *exchange) usable(output llm.Output, tools llm.Tools) error {
	if len(tools.List) > maxTools {
		return invalid("tools", "tools: at most %d are taken", maxTools)
	}
	all := len(output.Schema)
	for i := range tools.List {
		all += len(tools.List[i].Parameters)
	}
	if all > maxSchemas {
		return invalid("tools", "the schemas of the request are larger than %s together", size(maxSchemas))
	}
	if output.Kind == llm.OutputJSON {
		if err := x.server.usable(output.Schema, "response_format.json_schema.schema"); err != nil {
			return err
		}
	}
	for i := range tools.List {
		if raw := tools.List[i].Parameters; raw != nil {
			if err := x.server.usable(raw, within("tools", i)+".function.parameters"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) usable(raw json.RawMessage, at string) error {
	if len(raw) > maxSchema {
		return invalid(at, "%s is larger than %s", at, size(maxSchema))
	}
	if err := s.schemas.Usable(raw); err != nil {
		return invalid(at, "%s cannot be used: %s", at, allOf(err))
	}
	return nil
}
