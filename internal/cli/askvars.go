package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
)

// maxVar bounds an input that is read from a file or from stdin, in bytes.
const maxVar = 8 << 20

// readVars reads -v NAME=VALUE by the kinds that the prompt declares.
func (p *project) readVars(asked *prompt.Prompt, flags []string) (map[string]any, error) {
	inputs := map[string]prompt.Input{}
	var names []string
	for _, input := range asked.Inputs {
		inputs[input.Name] = input
		names = append(names, input.Name)
	}
	vars := map[string]any{}
	var problems fault.List
	for _, flag := range flags {
		name, text, ok := strings.Cut(flag, "=")
		input, known := inputs[name]
		switch {
		case !ok:
			problems.Add(fault.New(fault.Usage, "-v %s has no value", flag).WithHint("write -v NAME=VALUE"))
			continue
		case !known:
			problems.Add(fault.New(fault.Usage, "the prompt %s has no input %q", asked.Name, name).WithHint("%s", fault.Allowed(name, names)))
			continue
		}
		if _, twice := vars[name]; twice {
			problems.Add(fault.New(fault.Usage, "the input %q is given twice", name))
			continue
		}
		file, isFile := strings.CutPrefix(text, "@")
		text, err := p.valueOf(input, text)
		if err != nil {
			problems.Add(err)
			continue
		}
		parse := input.Parse
		if isFile {
			parse = func(text string) (any, error) { return input.ParseFile(file, text) }
		}
		value, err := parse(text)
		if err != nil {
			problems.Add(asUsage(err))
			continue
		}
		vars[name] = value
	}
	return vars, problems.Err()
}

// valueOf reads the value of an input. An image or file is named by its path: for
// it @FILE is a path from the working directory, and not the file's text.
func (p *project) valueOf(input prompt.Input, value string) (string, error) {
	name, isFile := strings.CutPrefix(value, "@")
	if !isFile || input.Kind != prompt.KindImage && input.Kind != prompt.KindFile {
		return p.world.textOf(value)
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(p.world.Dir, path)
	}
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	inside, err := filepath.Rel(p.root, path)
	if err != nil {
		return "", fault.New(fault.Usage, "the file %s is not in the project", name).Because(err)
	}
	return filepath.ToSlash(inside), nil
}

// textOf reads @FILE and @- in place of a value.
func (w *World) textOf(value string) (string, error) {
	name, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value, nil
	}
	source := w.Stdin
	if name != "-" {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.Dir, path)
		}
		file, err := os.Open(path)
		if err != nil {
			return "", fault.New(fault.Usage, "the file %s cannot be read: %s", name, reason(err)).Because(err)
		}
		defer file.Close()
		source = file
	}
	data, err := io.ReadAll(io.LimitReader(source, maxVar+1))
	if err != nil {
		return "", fault.New(fault.Usage, "%s cannot be read: %s", name, reason(err)).Because(err)
	}
	if len(data) > maxVar {
		return "", fault.New(fault.Usage, "%s is larger than %d MB", name, maxVar>>20)
	}
	return strings.TrimRight(string(data), "\n"), nil
}
