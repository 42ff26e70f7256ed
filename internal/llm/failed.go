package llm

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
)

// Failed is an attempt that came to nothing, before another one answered.
type Failed struct {
	Model   string      `json:"model"` // its alias
	Class   fault.Class `json:"class"`
	Message string      `json:"message"`
}

// Tried says of what came to nothing, for an error: "tried small (2 × overloaded,
// network), large (auth)"; of one model "3 attempts" and, if they differ, their classes.
func Tried(failed []Failed) string {
	for _, f := range failed {
		if f.Model != failed[0].Model {
			return "tried " + ByModel(failed)
		}
	}
	attempts := 0
	for _, f := range failed {
		if f.Class != fault.BreakerOpen { // nobody was asked
			attempts++
		}
	}
	said := fmt.Sprintf("%d attempts", attempts)
	if attempts == 1 {
		said = "1 attempt"
	}
	if sum := summed(failed); len(sum) > 1 {
		said += ": " + strings.Join(sum, ", ")
	}
	return said
}

// ByModel lists failures by model, in the order in which they were asked first:
// "small (2 × overloaded), large (auth)".
func ByModel(failed []Failed) string {
	var models []string
	of := map[string][]Failed{}
	for _, f := range failed {
		if of[f.Model] == nil {
			models = append(models, f.Model)
		}
		of[f.Model] = append(of[f.Model], f)
	}
	for i, model := range models {
		models[i] = fmt.Sprintf("%s (%s)", model, strings.Join(summed(of[model]), ", "))
	}
	return strings.Join(models, ", ")
}

// summed lists classes, those that follow each other once, with their count.
func summed(failed []Failed) []string {
	var sum []string
	for i := 0; i < len(failed); {
		n := 1
		for i+n < len(failed) && failed[i+n].Class == failed[i].Class {
			n++
		}
		word := string(failed[i].Class)
		if n > 1 {
			word = fmt.Sprintf("%d × %s", n, word)
		}
		sum, i = append(sum, word), i+n
	}
	return sum
}
