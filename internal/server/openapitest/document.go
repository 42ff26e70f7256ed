// Package openapitest holds what a server answers against its OpenAPI document. It is
// for tests alone, and imports jsonschema and the standard library.
package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// Document is an OpenAPI document, as far as requests and answers are held against it.
// It is safe for concurrent use.
type Document struct {
	paths   map[string]map[string]*Operation // by path, then by method
	schemas map[string]any                   // of the components
	failure map[string]any                   // the schema of what is said where there is no operation

	mu       sync.Mutex
	compiled map[compiledKey]*jsonschema.Schema
}

// Operation is one method of one path.
type Operation struct {
	ID   string `json:"operationId"`
	Body *struct {
		Content map[string]media `json:"content"`
	} `json:"requestBody"`
	Answers map[string]*Answer `json:"responses"` // by status
}

// Success is the answer of an operation that went well.
func (o *Operation) Success() *Answer {
	for status, one := range o.Answers {
		if strings.HasPrefix(status, "2") {
			return one
		}
	}
	return &Answer{}
}

// Answer is one of an operation, with what it refers to put in its place.
type Answer struct {
	Ref     string            `json:"$ref"`
	Headers map[string]header `json:"headers"`
	Content map[string]media  `json:"content"`
}

type header struct {
	Ref      string         `json:"$ref"`
	Required bool           `json:"required"`
	Schema   map[string]any `json:"schema"`
}

type media struct {
	Schema   map[string]any `json:"schema"`
	Examples map[string]struct {
		Value any `json:"value"`
	} `json:"examples"`
}

// documents are those that were read, by where their text begins.
var documents sync.Map

// Of gives the document of a text, which is read once. Its author is told of an error by
// a panic.
func Of(text []byte) *Document {
	if known, ok := documents.Load(&text[0]); ok {
		return known.(*Document)
	}
	document, err := read(text)
	if err != nil {
		panic(err)
	}
	known, _ := documents.LoadOrStore(&text[0], document)
	return known.(*Document)
}

// read reads a document, in which every reference leads into its own components.
func read(text []byte) (*Document, error) {
	var file struct {
		Paths      map[string]map[string]*Operation `json:"paths"`
		Components struct {
			Schemas map[string]any     `json:"schemas"`
			Answers map[string]*Answer `json:"responses"`
			Headers map[string]header  `json:"headers"`
		} `json:"components"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	for path, methods := range file.Paths {
		for method, operation := range methods {
			for status, one := range operation.Answers {
				if name := refersTo(one.Ref, "responses"); name != "" {
					one = file.Components.Answers[name]
				}
				if one == nil {
					return nil, fmt.Errorf("%s %s: %s is not in the components", method, path, status)
				}
				operation.Answers[status] = one
				for name, head := range one.Headers {
					if there := refersTo(head.Ref, "headers"); there != "" {
						one.Headers[name] = file.Components.Headers[there]
					}
					if one.Headers[name].Schema == nil {
						return nil, fmt.Errorf("%s %s: the header %s of %s is not described", method, path, name, status)
					}
				}
			}
		}
	}
	return &Document{
		paths: file.Paths, schemas: file.Components.Schemas, compiled: map[compiledKey]*jsonschema.Schema{},
		failure: map[string]any{"$ref": "#/components/schemas/Error"},
	}, nil
}

func refersTo(ref, kind string) (name string) {
	name, _ = strings.CutPrefix(ref, "#/components/"+kind+"/")
	return name
}

// Routes are all operations, each as "POST /v1/path/{name}", sorted.
func (d *Document) Routes() (routes []string) {
	for path, methods := range d.paths {
		for method := range methods {
			routes = append(routes, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routes)
	return routes
}

// Operation gives that of a route.
func (d *Document) Operation(route string) *Operation {
	method, path, _ := strings.Cut(route, " ")
	return d.paths[path][strings.ToLower(method)]
}

// Words are the constants that a schema of the components has as its alternatives.
func (d *Document) Words(schema string) (words []string) {
	named, _ := d.schemas[schema].(map[string]any)
	alternatives, _ := named["oneOf"].([]any)
	for _, one := range alternatives {
		if word, ok := one.(map[string]any)["const"].(string); ok {
			words = append(words, word)
		}
	}
	return words
}

// find gives the operation that answers a request; nil for none. A path with fewer
// variables goes before one with more.
func (d *Document) find(method, path string) *Operation {
	var found *Operation
	fewest := 0
	for pattern, methods := range d.paths {
		operation := methods[strings.ToLower(method)]
		if variables := strings.Count(pattern, "{"); operation != nil && fits(pattern, path) && (found == nil || variables < fewest) {
			found, fewest = operation, variables
		}
	}
	return found
}

func fits(pattern, path string) bool {
	wanted, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(wanted) != len(got) {
		return false
	}
	for i := range wanted {
		if !strings.HasPrefix(wanted[i], "{") && wanted[i] != got[i] || got[i] == "" && i > 0 {
			return false
		}
	}
	return true
}
