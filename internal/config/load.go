package config

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Load reads the file under root and reports all of its problems at once. No
// reference to a secret is followed yet.
func Load(root fs.FS, file string) (*Config, error) {
	data, err := read(root, file)
	if err != nil {
		return nil, err
	}
	node, err := strictyaml.Parse(file, data, 1)
	if err != nil {
		return nil, err
	}
	if !node.Exists() {
		return nil, fault.At(fault.Place{File: file}, "the file is empty").WithHint("it begins with version: 1")
	}
	config := withDefaults()
	var problems fault.List
	problems.Add(node.Decode(&config))
	config.check(node, &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return &config, nil
}

func read(root fs.FS, file string) ([]byte, error) {
	place := fault.Place{File: file}
	info, err := fs.Stat(root, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.At(place, "there is no %s here", file).WithHint("llmx init makes a project that runs at once").Because(err)
	case err != nil:
		return nil, fault.At(place, "the file cannot be read: %v", reason(err)).Because(err)
	case info.IsDir():
		return nil, fault.At(place, "this is a directory, not a file")
	case info.Size() > strictyaml.MaxSize:
		return nil, fault.At(place, "the file has %d MB; at most %d MB are read", info.Size()>>20, strictyaml.MaxSize>>20)
	}
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, fault.At(place, "the file cannot be read: %v", reason(err)).Because(err)
	}
	return data, nil
}

// reason is the part of an error of the file system that is not the path, which
// is told apart and may be one of this machine.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// check looks at what no single value shows: names, and what refers to what.
func (c *Config) check(root strictyaml.Node, problems *fault.List) {
	if version := root.Get("version"); version.Kind() == strictyaml.Number && c.Version != 1 {
		problems.Add(version.Errorf("version %s is not known", version.Text()).WithHint("this llmx reads version 1"))
	}
	if c.Project != "" {
		checkName(root.Get("project").Place(), "the project's name", c.Project, problems)
	}
	for _, section := range []string{"providers", "models", "routes"} {
		for _, field := range root.Get(section).Fields() {
			checkName(field.Place, "a name in "+section, field.Key, problems)
		}
	}
	for _, field := range root.Get("models").Fields() {
		c.checkModel(field.Key, field.Value, problems)
	}
	for _, field := range root.Get("routes").Fields() {
		c.checkRoute(field, problems)
	}
	c.checkBudgets(root.Get("budgets"), problems)
	between(problems, root.Get("test"), "jobs", 1, 10_000)
	c.checkServe(root.Get("serve"), problems)
	c.Serve.ServeLife.check(root.Get("serve"), problems)
	c.Store.Said = StoreSaid{Content: root.Get("store").Get("content").Exists(), Keep: root.Get("store").Get("keep").Exists()}
	if path := root.Get("store").Get("path"); path.Kind() == strictyaml.String {
		if strings.TrimSpace(c.Store.Path) == "" {
			problems.Add(path.Errorf("the store needs a path").WithHint("the default is .llmx/llmx.db"))
		}
		refuseReference(path, problems)
	}
}

func (c *Config) checkModel(name string, n strictyaml.Node, problems *fault.List) {
	model := c.Models[name]
	if model.Model == "" {
		model.Model = name
		c.Models[name] = model
	}
	if model.Provider == "" {
		return // told already
	}
	provider, known := c.Providers[model.Provider]
	if !known {
		problems.Add(n.Get("provider").Errorf("the provider %q is not defined", model.Provider).
			WithHint("%s", fault.Allowed(model.Provider, c.ProviderNames())))
		return
	}
	if sim := n.Get("sim"); sim.Exists() && provider.Kind == KindOpenAI {
		problems.Add(sim.Errorf("sim: is for models of a provider with kind: sim; %q has kind: %s", model.Provider, provider.Kind))
	}
	if provider.Kind == KindSim && model.Sim == nil {
		sim := newSim()
		model.Sim = &sim
		c.Models[name] = model
	}
}

func (c *Config) checkRoute(field strictyaml.Field, problems *fault.List) {
	if _, twice := c.Models[field.Key]; twice {
		problems.Add(fault.At(field.Place, "%q names a model and a route", field.Key).
			WithHint("prompts and suites name both alike: rename one"))
	}
	c.checkUse(field.Value.Get("use"), problems)
	for _, rule := range field.Value.Get("rules").Items() {
		c.checkUse(rule.Get("use"), problems)
	}
}

// checkUse refuses models that nobody defined, or that stand there twice.
func (c *Config) checkUse(use strictyaml.Node, problems *fault.List) {
	seen := map[string]bool{}
	for _, item := range use.Items() {
		name := item.Text()
		if item.Kind() != strictyaml.String {
			continue
		}
		if _, known := c.Models[name]; !known {
			problems.Add(item.Errorf("the model %q is not defined", name).WithHint("%s", fault.Allowed(name, c.ModelNames())))
		}
		if seen[name] {
			problems.Add(item.Errorf("the model %q stands in the route twice", name))
		}
		seen[name] = true
	}
}

// namePattern keeps names usable in flags, file names and reports.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,63}$`)

func checkName(place fault.Place, what, name string, problems *fault.List) {
	if !namePattern.MatchString(name) {
		problems.Add(fault.At(place, "%s cannot be %q", what, cut(name)).
			WithHint("allowed: at most 64 letters, digits and . _ : / + -, beginning with a letter or digit"))
	}
}

// cut bounds what a message repeats.
func cut(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}
