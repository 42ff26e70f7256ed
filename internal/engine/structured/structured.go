// Package structured tells a model the form that its answer must have: natively, where
// its server takes a schema, else by instructions. It stands below the recordings, so
// that their keys know nothing of it, and above the budget, which is to see what is
// sent. It imports llm and fault alone; how a vendor wants a schema is handed in.
//
// Nothing here judges an answer: package contract does, by the whole contract.
package structured

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"sync"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// option is the name under which servers take the form of an answer.
const option = "response_format"

// Options say how one model is told.
type Options struct {
	Alias string // of the model in llmx.yaml, for messages
	// Way is one of the Structured… words of llm, "" for not at all.
	Way string
	// Native makes of a schema what the server takes under response_format; false where
	// it takes none like that. It is called once for a schema.
	Native func(schema json.RawMessage) (format json.RawMessage, ok bool)
}

// Teller tells one model. It is safe for concurrent use.
type Teller struct {
	options Options

	mu      sync.Mutex
	formats map[string]format // by schema
	held    int               // bytes of the schemas
}

type format struct {
	json json.RawMessage
	ok   bool
}

// maxFormats bounds the schemas that are kept, and maxHeld their bytes: requests bring
// schemas of their own.
const (
	maxFormats = 1024
	maxHeld    = 8 << 20
)

// New makes a teller.
func New(o Options) *Teller { return &Teller{options: o, formats: map[string]format{}} }

// Told is how the form of an answer is told.
type Told struct {
	Way          string          // "" where nothing is said
	Format       json.RawMessage // of response_format; nil for none
	Instructions string          // "" for none
}

// How finds what a model is told of a contract. A response_format among the options is
// the user's own word, to which nothing is added.
func (t *Teller) How(output llm.Output, options llm.Options) Told {
	if _, own := options[option]; own || t.options.Way == "" || !described(output) {
		return Told{}
	}
	told := Told{Way: llm.StructuredInstructions}
	switch t.options.Way {
	case llm.StructuredSchema:
		if found := t.format(output); found.ok {
			return Told{Way: llm.StructuredSchema, Format: found.json}
		}
	case llm.StructuredObject:
		if onlyObjects(output) {
			told = Told{Way: llm.StructuredObject, Format: json.RawMessage(`{"type":"json_object"}`)}
		}
	}
	if !output.Told {
		told.Instructions = Instructions(output)
	} else if told.Format == nil {
		return Told{}
	}
	return told
}

func (t *Teller) format(output llm.Output) format {
	if output.Kind != llm.OutputJSON || t.options.Native == nil {
		return format{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	found, known := t.formats[string(output.Schema)]
	if !known {
		if len(t.formats) >= maxFormats || t.held+len(output.Schema) > maxHeld {
			clear(t.formats)
			t.held = 0
		}
		t.held += len(output.Schema)
		found.json, found.ok = t.options.Native(output.Schema)
		t.formats[string(output.Schema)] = found
	}
	return found
}

// onlyObjects reports a contract under which every answer is an object: nothing else
// comes in the mode json_object.
func onlyObjects(output llm.Output) bool {
	var schema struct {
		Type any `json:"type"`
	}
	return output.Kind == llm.OutputJSON && json.Unmarshal(output.Schema, &schema) == nil && schema.Type == "object"
}

// Tell gives the request as it is sent, and how the form is told in it.
func (t *Teller) Tell(req llm.Request) (llm.Request, Told) {
	told := t.How(req.Output, req.Options)
	if told.Format != nil {
		options := maps.Clone(req.Options)
		if options == nil {
			options = llm.Options{}
		}
		options[option] = told.Format
		req.Options = options
	}
	if told.Instructions != "" {
		req.Messages = withInstructions(req.Messages, told.Instructions)
	}
	return req, told
}

// Estimate is about what a request would use as it is sent.
func (t *Teller) Estimate(req llm.Request) llm.Usage {
	req, _ = t.Tell(req)
	return req.Estimate()
}

// Model wraps whoever is asked for the alias.
func (t *Teller) Model(next llm.Model) llm.Model {
	if t.options.Way == "" {
		return next
	}
	return llm.ModelFunc(func(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
		req, told := t.Tell(req)
		llm.AdmissionFrom(ctx).Structured = told.Way
		if told.Format == nil {
			return next.Stream(ctx, req)
		}
		return func(yield func(llm.Event, error) bool) {
			for event, err := range next.Stream(ctx, req) {
				if !yield(event, t.explained(err)) {
					return
				}
			}
		}
	})
}

// explained adds to a refusal of the request what may be the reason: a server that does
// not know response_format.
func (t *Teller) explained(err error) error {
	if err == nil {
		return nil
	}
	e := fault.As(err)
	if e.Class != fault.BadRequest || e.Hint != "" || e.Status != http.StatusBadRequest && e.Status != http.StatusUnprocessableEntity {
		return err
	}
	hinted := *e
	hinted.Message += "; the request had a response_format (caps.structured_output of " + t.options.Alias + ")" // a report has no hints
	return hinted.WithHint("if the server does not know response_format, write caps: {structured_output: instructions} for %s in llmx.yaml", t.options.Alias)
}
