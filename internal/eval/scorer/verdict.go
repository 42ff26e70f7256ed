package scorer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// answered is the JSON object that a judge answered with. What is not as the check
// reads it is an error: never a score.
type answered map[string]any

// objectOf takes the value that the contract has read.
func objectOf(r llm.Response) (answered, error) {
	object, ok := r.End.Value.(map[string]any)
	if !ok {
		return nil, fault.New(fault.Judge, "want a JSON object, got %s", quote(r.Text))
	}
	return object, nil
}

// share reads a number from 0 to 1.
func (a answered) share(name string) (float64, error) {
	number, ok := a[name].(json.Number)
	value, err := number.Float64()
	if !ok || err != nil || value < 0 || value > 1 {
		return 0, fault.New(fault.Judge, "%s is %s, and must be a number from 0 to 1", name, show(a[name]))
	}
	return value, nil
}

// text reads a text, "" where there is none.
func (a answered) text(name string) string {
	text, _ := a[name].(string)
	return text
}

// word reads one of some words.
func (a answered) word(name string, allowed ...string) (string, error) {
	got := a.text(name)
	for _, word := range allowed {
		if got == word {
			return word, nil
		}
	}
	return "", fault.New(fault.Judge, "%s is %s, and must be one of %s", name, show(a[name]), strings.Join(allowed, ", "))
}

// finding is what a judge says of one thing of many.
type finding struct {
	about  string
	holds  bool
	reason string
}

func (f finding) String() string {
	if f.reason == "" {
		return quote(f.about)
	}
	return quote(f.about) + " (" + f.reason + ")"
}

// objects reads a list of objects.
func (a answered) objects(name string) ([]answered, error) {
	list, ok := a[name].([]any)
	if !ok {
		return nil, fault.New(fault.Judge, "%s is %s, and must be a list", name, show(a[name]))
	}
	objects := make([]answered, len(list))
	for i, item := range list {
		if objects[i], ok = item.(map[string]any); !ok {
			return nil, fault.New(fault.Judge, "%s has the item %s, which is no object", name, show(item))
		}
	}
	return objects, nil
}

// flag reads true or false of an item of a list.
func (a answered) flag(of, name string) (bool, error) {
	holds, ok := a[name].(bool)
	if !ok {
		return false, fault.New(fault.Judge, "%s of an item of %s is %s, and must be true or false", name, of, show(a[name]))
	}
	return holds, nil
}

// numbered reads a list in which the judge says of each of some things, by its number
// from 1, whether it holds: of each once.
func (a answered) numbered(list, number, flag string, things []string) ([]finding, error) {
	items, err := a.objects(list)
	if err != nil {
		return nil, err
	}
	found := make([]finding, len(things))
	seen := make([]bool, len(things))
	for _, item := range items {
		n, ok := item[number].(json.Number)
		i, err := n.Int64()
		if !ok || err != nil || i < 1 || i > int64(len(things)) {
			return nil, fault.New(fault.Judge, "%s of an item of %s is %s; there are %d", number, list, show(item[number]), len(things))
		}
		if seen[i-1] {
			return nil, fault.New(fault.Judge, "%s says of %s %d twice", list, number, i)
		}
		holds, err := item.flag(list, flag)
		if err != nil {
			return nil, err
		}
		seen[i-1], found[i-1] = true, finding{things[i-1], holds, item.text("reason")}
	}
	for i := range seen {
		if !seen[i] {
			return nil, fault.New(fault.Judge, "%s says nothing of %s %d", list, number, i+1)
		}
	}
	return found, nil
}

// numberedHint lets a simulated judge, which cannot count, say yes to each of n things.
func numberedHint(list, number, flag string, n int) any {
	items := make([]any, n)
	for i := range items {
		items[i] = map[string]any{number: json.Number(strconv.Itoa(i + 1)), flag: true}
	}
	return map[string]any{list: items}
}

// claims reads a list of what the judge has found itself.
func (a answered) claims(list, flag string) ([]finding, error) {
	items, err := a.objects(list)
	if err != nil {
		return nil, err
	}
	found := make([]finding, len(items))
	for i, item := range items {
		claim := item.text("claim")
		if strings.TrimSpace(claim) == "" {
			return nil, fault.New(fault.Judge, "an item of %s has no claim", list)
		}
		holds, err := item.flag(list, flag)
		if err != nil {
			return nil, err
		}
		found[i] = finding{claim, holds, item.text("reason")}
	}
	return found, nil
}

// shareOf is how many of the findings hold, and which do not.
func shareOf(found []finding, not string) (float64, string) {
	var missed []string
	for _, f := range found {
		if !f.holds {
			missed = append(missed, f.String())
		}
	}
	if len(missed) == 0 {
		return 1, ""
	}
	held := len(found) - len(missed)
	return float64(held) / float64(len(found)), fmt.Sprintf("%d of %d %s: %s", len(missed), len(found), not, cutTo(maxReasons, strings.Join(missed, "; ")))
}

// maxReasons is how many bytes of a judge's reasons are kept with a score.
const maxReasons = 2000
