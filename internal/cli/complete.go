package cli

import (
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/eval/suite"
)

type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completing offers names of the project; without a project there are none.
func completing(w *World, names func(p *project) []string) completion {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		p, err := openProject(w)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(p), cobra.ShellCompDirectiveNoFileComp
	}
}

func completeSuites(w *World) completion {
	return completing(w, func(p *project) []string {
		files, _ := suite.Discover(p.fs) // a broken directory completes nothing
		for i, file := range files {
			files[i] = strings.TrimSuffix(path.Base(file), suite.Extension)
		}
		return files
	})
}

func completeModels(w *World) completion {
	return completing(w, func(p *project) []string { return p.config.Names() })
}

// completeReferences offers what --reference may name: models, routes and prompts.
func completeReferences(w *World) completion {
	return completing(w, func(p *project) []string { return append(p.config.Names(), promptRefs(p)...) })
}

func completePrompts(w *World) completion { return completing(w, promptRefs) }

// promptRefs are the prompts of a project, as --prompt names them.
func promptRefs(p *project) (refs []string) {
	names, _ := p.prompts.Names()
	for _, name := range names {
		refs = append(refs, name, name+"@draft")
		versions, _ := p.prompts.Versions(name)
		for _, v := range versions {
			refs = append(refs, name+"@"+v.Version)
		}
	}
	return refs
}
