package prompt

import _ "embed" // for the schema

// Schema is the JSON Schema (draft 7) of a prompt file's front matter, for editors.
//
//go:embed prompt.schema.json
var Schema []byte
