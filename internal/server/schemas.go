package server

import (
	"encoding/json"

	"github.com/llmx-dev/llmx/internal/llm"
)

// maxSchema bounds a schema that a request brings, in bytes.
const maxSchema = 256 << 10

// usable refuses a request whose schemas no answer can be held to, before anything is
// asked.
func (x *exchange) usable(output llm.Output, tools llm.Tools) error {
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
		return invalid(at, "%s is larger than %d KB", at, maxSchema>>10)
	}
	if err := s.schemas.Usable(raw); err != nil {
		return invalid(at, "%s cannot be used: %s", at, allOf(err))
	}
	return nil
}
