package config

import _ "embed" // the schema

// Schema is a JSON Schema (draft 7) of llmx.yaml, for editors. It refuses what a
// schema can refuse; what refers to what, only Load knows.
//
//go:embed llmx.schema.json
var Schema []byte
