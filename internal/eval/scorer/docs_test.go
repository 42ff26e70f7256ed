package scorer

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What llmx help checks shows is true: every example is read, and tells an answer
// that is as it says from one that is not.
func TestEveryExampleHolds(t *testing.T) {
	for _, doc := range Docs() {
		t.Run(doc.Name, func(t *testing.T) {
			check := parseAsking(t, doc.Example)
			doc.Passes.Ask, doc.Fails.Ask = script(scripted), script(scripted)
			pass, err := check.Score(context.Background(), doc.Passes)
			if err != nil || !pass.Pass || !check.Deterministic() && pass.Asked == nil {
				t.Errorf("the answer that passes: %+v, %v", pass, err)
			}
			fail, err := check.Score(context.Background(), doc.Fails)
			if err != nil || fail.Pass || fail.Reason == "" || fail.Value >= 1 {
				t.Errorf("the answer that fails: %+v, %v", fail, err)
			}
			again, _ := check.Score(context.Background(), doc.Fails)
			if diff := cmp.Diff(fail, again); diff != "" {
				t.Errorf("the same answer is scored otherwise: %s", diff)
			}
		})
	}
}

func TestEveryCheckIsDescribed(t *testing.T) {
	var described []string
	for _, doc := range Docs() {
		described = append(described, doc.Name)
		if doc.Holds == "" || doc.Arguments == "" || doc.Topic == "" {
			t.Errorf("%s lacks words", doc.Name)
		}
	}
	names := Names()
	slices.Sort(described)
	slices.Sort(names)
	if diff := cmp.Diff(names, described); diff != "" {
		t.Error(diff)
	}
}
