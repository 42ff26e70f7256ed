package cli

import (
	"fmt"

	"github.com/llmx-dev/llmx/internal/llm"
)

// printTools writes what a prompt offers beside its messages; nothing where it offers
// no tool.
func printTools(w *World, tools *llm.Tools) error {
	if !tools.Offered() {
		return nil
	}
	choice := tools.Choice
	if choice == "" {
		choice = llm.ToolsAuto
	}
	if tools.OneAtATime {
		choice += ", one at a time"
	}
	if _, err := fmt.Fprintf(w.Stdout, "tools (tool_choice %s):\n", choice); err != nil {
		return err
	}
	for _, tool := range tools.List {
		line := tool.Name
		if tool.Description != "" {
			line += ": " + tool.Description
		}
		parameters := string(tool.Parameters)
		if parameters == "" {
			parameters = "no parameters"
		}
		if _, err := fmt.Fprintf(w.Stdout, "%s\n  %s\n", w.forPeople(line), w.forPeople(parameters)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w.Stdout)
	return err
}
