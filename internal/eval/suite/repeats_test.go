package suite_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
)

// A row says itself how often it is asked, as a case in the suite's file does.
func TestRepeatsAreAColumn(t *testing.T) {
	for name, data := range map[string]string{
		"c.jsonl": `{"id":"a","ticket":"x","repeats":5,"golden":1}` + "\n" + `{"id":"b","ticket":"y","repeats":null,"golden":1}` + "\n" + `{"id":"c","ticket":"z","golden":1}`,
		"c.csv":   "id,ticket,repeats,golden\na,x,5,1\nb,y,,1\nc,z, ,1\n",
	} {
		s, err := suite.Load(project(name, data), "suites/s.yaml", deps())
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for c, err := range s.Cases() {
			if err != nil {
				t.Fatal(err)
			}
			if _, is := c.Vars["repeats"]; is {
				t.Errorf("%s: repeats are an input of %s", name, c.ID)
			}
			got = append(got, c.Repeats)
		}
		if !slices.Equal(got, []int{5, 1, 1}) {
			t.Errorf("%s: repeats %v", name, got)
		}
	}
	// A prompt that has an input of the name keeps it.
	d := deps()
	d.Prompt = func(string, fault.Place) (suite.PromptInfo, error) {
		return suite.PromptInfo{Kinds: map[string]string{"repeats": "integer"}}, nil
	}
	s, err := suite.Load(project("c.jsonl", `{"id":"a","repeats":5,"golden":1}`), "suites/s.yaml", d)
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range s.Cases() {
		if err != nil || c.Repeats != 1 || fmt.Sprint(c.Vars["repeats"]) != "5" {
			t.Errorf("%+v, %v", c, err)
		}
	}
	for _, wrong := range []string{"0", "1001", "2.5", `"often"`, "[1]"} {
		_, err := suite.Load(project("c.jsonl", `{"id":"a","ticket":"x","repeats":`+wrong+`,"golden":1}`), "suites/s.yaml", deps())
		if err == nil || !strings.Contains(err.Error(), "it must be a whole number from 1 to 1000") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
