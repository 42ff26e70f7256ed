package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/server"
	"github.com/llmx-dev/llmx/internal/store"
)

func runAskAgain(ctx context.Context, w *World, o *askOptions) error {
	reuse, err := o.reuse()
	if err != nil {
		return err
	}
	var p *project
	var before *llm.Call
	err = withStore(ctx, w, reads, func(ctx context.Context, opened *project, s *store.Store) error {
		p = opened
		before, err = findCall(ctx, s, o.from)
		return err
	})
	if err != nil {
		return err
	}
	if before.Unstored() {
		return fault.New(fault.Usage, "the call %s was stored without its contents, so it cannot be asked again", before.ID).
			WithHint("store.content: full in llmx.yaml keeps the inputs and answers of calls to come")
	}
	asked, req, err := p.sameAgain(before, o)
	if err != nil {
		return err
	}
	req.Tenant, req.Reuse, req.Tags = "ask", reuse, o.tags
	req.User = before.User // what is theirs is found, and removed, by it
	response, err := p.ask(ctx, fault.Place{}, asked, req)
	if err != nil {
		return err
	}
	if o.json {
		document := answerDocument(response)
		document["from_call"], document["same"] = before.ID, before.Failure == nil && before.Answer == response.Text
		document["before"] = map[string]any{
			"answer": before.Answer, "failure": before.Failure, "prompt": before.Prompt, "model": before.Model, "answered": before.Answered,
		}
		return w.printDocument(document)
	}
	if err := report.Again(w.Stdout, before, response.Call, w.outputStyle()); err != nil {
		return err
	}
	return w.printSummary(response)
}

// findCall finds a call by its id or the beginning of it.
func findCall(ctx context.Context, s *store.Store, id string) (*llm.Call, error) {
	id = server.CallID(id)
	call, err := s.Call(ctx, id)
	if err == nil || fault.ClassOf(err) != fault.Usage {
		return call, err
	}
	ids, beginErr := s.CallsBeginning(ctx, id)
	switch {
	case beginErr != nil:
		return nil, beginErr
	case len(ids) == 0:
		return nil, err
	case len(ids) > 1:
		return nil, fault.New(fault.Usage, "more than one call begins with %q", id).WithHint("%s", fault.Allowed("", ids))
	}
	return s.Call(ctx, ids[0])
}

// sameAgain makes the request of a call once more: of its prompt, or of another one,
// with its inputs; where it named no prompt, with its messages.
func (p *project) sameAgain(before *llm.Call, o *askOptions) (*prompt.Prompt, llm.Request, error) {
	if before.Prompt.Name == "" && o.ref == "" {
		return p.sameMessages(before, o)
	}
	ref := o.ref
	if ref == "" {
		ref = before.Prompt.String()
	}
	asked, err := p.prompts.Resolve(ref, prompt.Develop)
	if err != nil {
		if o.ref == "" && fault.As(err).Place.File == "" {
			err = fault.New(fault.Usage, "the call's prompt cannot be asked again: %s", fault.As(err).Message).
				WithHint("name another: --prompt NAME, or --prompt NAME@VERSION").Because(err)
		}
		return nil, llm.Request{}, asUsage(err)
	}
	if o.ref == "" && asked.Ref().Hash != before.Prompt.Hash {
		fmt.Fprintf(p.world.Stderr, "note: %s has changed since the call was made\n", ref)
	}
	vars, err := p.sameVars(before, asked, o.vars)
	if err != nil {
		return nil, llm.Request{}, err
	}
	model := o.model
	if model == "" && o.ref != "" {
		model = asked.Model
	}
	if model == "" {
		model = before.Model
	}
	req := llm.Request{Prompt: asked.Ref(), Vars: vars, Model: model}
	if o.ref == "" && len(before.Turns) > 0 && asked.Ref().Hash == before.Prompt.Hash {
		req.Options = before.Turns[0].Options // also those that the caller had put over the prompt's
	}
	return asked, req, nil
}

func (p *project) sameMessages(before *llm.Call, o *askOptions) (*prompt.Prompt, llm.Request, error) {
	if len(o.vars) > 0 {
		return nil, llm.Request{}, fault.New(fault.Usage, "the call %s named no prompt, so it has no inputs", before.ID).
			WithHint("leave -v out, or name a prompt: --prompt NAME")
	}
	if len(before.Turns) == 0 {
		return nil, llm.Request{}, fault.New(fault.Usage, "the call %s ended before anything was asked", before.ID)
	}
	first := &before.Turns[0]
	req := llm.Request{Model: before.Model, Messages: first.Messages, Options: first.Options, Output: first.Output, Tools: first.Tools}
	if o.model != "" {
		req.Model = o.model
	}
	return nil, req, nil
}

// sameVars are the inputs of a call, with those over them that flags give, as far as
// they fit a prompt.
func (p *project) sameVars(before *llm.Call, asked *prompt.Prompt, flags []string) (map[string]any, error) {
	vars, err := varsOf(before)
	if err != nil {
		return nil, err
	}
	over, err := p.readVars(asked, flags)
	if err != nil {
		return nil, err
	}
	maps.Copy(vars, over)
	var problems fault.List
	var names []string
	for _, input := range asked.Inputs {
		names = append(names, input.Name)
		if vars[input.Name] == nil && input.Required {
			problems.Add(fault.New(fault.Usage, "%s needs an input %q, and the call %s has none", asked.Ref(), input.Name, before.ID).
				WithHint("add -v %s=VALUE", input.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !slices.Contains(names, name) {
			problems.Add(fault.New(fault.Usage, "the call %s has an input %q, and %s has none of that name", before.ID, name, asked.Ref()).
				WithHint("%s", fault.Allowed(name, names)))
		}
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return vars, asUsage(asked.CheckVars(vars))
}

// varsOf are a call's inputs, numbers as they were written.
func varsOf(call *llm.Call) (map[string]any, error) {
	vars := map[string]any{}
	if len(call.Vars) == 0 {
		return vars, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(call.Vars))
	decoder.UseNumber()
	if err := decoder.Decode(&vars); err != nil {
		return nil, fault.New(fault.Usage, "the inputs of the call %s were not stored whole", call.ID).Because(err)
	}
	return vars, nil
}
