package scorer

import (
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Programs runs scorers that are written in any language.
type Programs interface {
	// Find refuses a program that is not there, and names the content of its files
	// that stand in the project, by path.
	Find(p Program) (files map[string]string, err error)
	// Run gives a program its input, and returns what it wrote. An error says how the
	// program failed, or which bound it broke.
	Run(ctx context.Context, p Program, input []byte) (output []byte, err error)
	// Veil takes out of a program's texts what nobody may print. It sees secrets as they
	// are, so what is written as JSON is to be read first.
	Veil(p Program) func(text string) string
}

// Program is a command with the bounds that it runs in.
type Program struct {
	Command   []string
	Env       []string // names of variables that it is given besides the usual ones
	Timeout   time.Duration
	MaxOutput int64 // bytes
	Memory    int64 // bytes that it may write to
}

// The bounds of a program whose check gives none.
const (
	programTimeout = 10 * time.Second
	programOutput  = 64 << 10
	programMemory  = 512 << 20
)

// programArgs: {program: {command: [python3, scorers/tone.py], args: {…}, …}}.
type programArgs struct {
	Command       []string        `yaml:"command,required" json:"command"`
	Args          strictyaml.Node `yaml:"args" json:"-"`
	Given         any             `json:"args,omitempty"`
	Env           []string        `yaml:"env" json:"env,omitempty"`
	Golden        bool            `yaml:"golden" json:"golden,omitempty"`
	Deterministic *bool           `yaml:"deterministic" json:"deterministic,omitempty"`
	Threshold     *threshold      `yaml:"threshold" json:"threshold,omitempty"`
	options       `yaml:",inline" json:"-"`

	Timeout   time.Duration `yaml:"timeout" json:"-"` // a bound says nothing of what is right
	MaxOutput byteSize      `yaml:"max_output" json:"-"`
	Memory    byteSize      `yaml:"memory" json:"-"`

	Files map[string]string `json:"files,omitempty"`
}

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseProgram reads a check that runs a program for every answer.
func parseProgram(p *Parser, n strictyaml.Node) (rule, error) {
	if p.deps.Programs == nil {
		return rule{}, fault.At(n.Place(), "a program cannot stand here").WithHint("it belongs into expect of a suite or a case")
	}
	if n.Kind() != strictyaml.Mapping {
		return rule{}, n.Mismatch("a mapping").WithHint("write {program: {command: [python3, scorers/tone.py]}}")
	}
	args := programArgs{Timeout: programTimeout, MaxOutput: programOutput, Memory: programMemory}
	if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	if err := args.check(n); err != nil {
		return rule{}, err
	}
	program := Program{Command: args.Command, Env: args.Env, Timeout: args.Timeout, MaxOutput: int64(args.MaxOutput), Memory: int64(args.Memory)}
	files, err := p.deps.Programs.Find(program)
	if err != nil {
		e := fault.As(err)
		return rule{}, n.Get("command").Errorf("%s", e.Message).WithHint("%s", e.Hint)
	}
	args.Files = files
	if args.Args.Exists() {
		args.Given = args.Args.Value()
	}
	least := threshold(1)
	if args.Threshold != nil {
		least = *args.Threshold
	}
	r := rule{args: args, options: args.options, about: "the program " + show(args.Command), threshold: least,
		asksModel: args.Deterministic != nil && !*args.Deterministic}
	if args.Golden {
		r.needs |= eval.NeedGolden
	}
	r.whole = func(ctx context.Context, s *eval.Subject) (eval.Score, error) {
		input, err := inputOf(s, args.Given)
		if err != nil {
			return eval.Score{}, err
		}
		output, err := p.deps.Programs.Run(ctx, program, input)
		if err != nil {
			return eval.Score{}, err
		}
		said, err := readVerdict(output, p.deps.Programs.Veil(program))
		if err != nil {
			return eval.Score{}, err
		}
		return said.score(least), nil
	}
	return r, nil
}

func (a *programArgs) check(n strictyaml.Node) error {
	var problems fault.List
	if len(a.Command) == 0 || a.Command[0] == "" {
		problems.Add(n.Get("command").Errorf("the command is empty").WithHint("write command: [python3, scorers/tone.py]; no shell reads it"))
	}
	for i, name := range a.Env {
		if !variablePattern.MatchString(name) {
			problems.Add(n.Get("env").Items()[i].Errorf("%q is no name of an environment variable", name).WithHint("names alone stand in env, without values"))
		}
	}
	const most = 10 * time.Minute
	if a.Timeout <= 0 || a.Timeout > most {
		problems.Add(n.Get("timeout").Errorf("the timeout must be above 0, at most %s", most).WithHint("write a duration such as 10s"))
	}
	problems.Add(a.MaxOutput.within(n.Get("max_output"), 1, 16<<20, "1B to 16MB"))
	problems.Add(a.Memory.within(n.Get("memory"), 16<<20, 1<<40, "16MB to 1024GB"))
	return problems.Err()
}

// programInput is what a program reads. What of a call no baseline keeps (tokens, cost,
// time) is not in it, so that an answer can be scored again.
type programInput struct {
	Schema    string         `json:"schema"`
	Suite     string         `json:"suite"`
	Case      string         `json:"case"`
	Vars      map[string]any `json:"vars"`
	Answer    string         `json:"answer"`
	Value     any            `json:"value"`     // the answer under the prompt's contract, null where it has none or breaks it
	Violation string         `json:"violation"` // what the contract refused, "" for nothing
	ToolCalls []programCall  `json:"tool_calls"`
	Finish    string         `json:"finish"`
	Golden    any            `json:"golden"`
	Args      any            `json:"args"`
}

type programCall struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON as the model wrote it, which may be none
}

func inputOf(s *eval.Subject, args any) ([]byte, error) {
	input := programInput{
		Schema: "llmx.score/1", Suite: s.Origin.Suite, Case: s.Origin.Case, Vars: s.Vars, Answer: s.Answer, Value: s.Value,
		Violation: s.Broken, ToolCalls: []programCall{}, Finish: string(s.Finish), Args: args,
	}
	if input.Vars == nil {
		input.Vars = map[string]any{}
	}
	for _, call := range s.ToolCalls {
		input.ToolCalls = append(input.ToolCalls, programCall{call.Name, string(call.Arguments)})
	}
	if s.Golden != nil {
		input.Golden = s.Golden.Value
	}
	text, err := json.Marshal(input)
	if err != nil {
		return nil, fault.New(fault.Internal, "the answer cannot be written as JSON: %v", err)
	}
	return append(text, '\n'), nil
}
