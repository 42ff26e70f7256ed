package suite

import _ "embed"

// Schema is the JSON Schema (draft 7) of suite files, for editors. It accepts what
// Load accepts; what needs another file, or two places of one, Load alone refuses.
//
//go:embed suite.schema.json
var Schema []byte
