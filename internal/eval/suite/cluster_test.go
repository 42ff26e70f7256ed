package suite_test

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
)

func TestClusterIsOfTheCaseAndNotOfWhatIsAsked(t *testing.T) {
	plain := only(t, deps(), one("{ticket: x}", "golden: 1"))
	named := only(t, deps(), one("{ticket: x}", "golden: 1, cluster: doc"))
	if named.Cluster != "doc" || named.InputHash != plain.InputHash || named.CriteriaHash != plain.CriteriaHash {
		t.Errorf("%+v beside %+v", named, plain)
	}
	if named.ClusterKey() == plain.ClusterKey() {
		t.Error("a case of a cluster is one with the cases that ask the same")
	}
	again := only(t, deps(), strings.Replace(one("{ticket: x}", "golden: 2"), "id: a", "id: b", 1))
	if again.ID == plain.ID || again.ClusterKey() != plain.ClusterKey() {
		t.Error("two cases that ask the same are two clusters")
	}
	if other := only(t, deps(), one("{ticket: y}", "golden: 1")); other.ClusterKey() == plain.ClusterKey() {
		t.Error("two cases that ask otherwise are one cluster")
	}
}

func TestClusterIsAColumn(t *testing.T) {
	for name, data := range map[string]string{
		"c.jsonl": `{"id":"a","ticket":"x","cluster":"d1","golden":1}` + "\n" + `{"id":"b","ticket":"y","cluster":null,"golden":1}` + "\n" + `{"id":"c","ticket":"z","cluster":7,"golden":1}`,
		"c.csv":   "id,ticket,cluster,golden\na,x,d1,1\nb,y,,1\nc,z,7,1\n",
	} {
		s, err := suite.Load(project(name, data), "suites/s.yaml", deps())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for c, err := range s.Cases() {
			if err != nil {
				t.Fatal(err)
			}
			if _, is := c.Vars["cluster"]; is {
				t.Errorf("%s: the cluster is an input of %s", name, c.ID)
			}
			got = append(got, c.Cluster)
		}
		if strings.Join(got, ",") != "d1,,7" {
			t.Errorf("%s: clusters %q", name, got)
		}
	}
	// A prompt that has an input of the name keeps it.
	d := deps()
	d.Prompt = func(string, fault.Place) (suite.PromptInfo, error) {
		return suite.PromptInfo{Kinds: map[string]string{"cluster": "string"}}, nil
	}
	s, err := suite.Load(project("c.jsonl", `{"id":"a","cluster":"d1","golden":1}`), "suites/s.yaml", d)
	if err != nil {
		t.Fatal(err)
	}
	for c, err := range s.Cases() {
		if err != nil || c.Cluster != "" || c.Vars["cluster"] != "d1" {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if _, err := suite.Load(project("c.jsonl", `{"id":"a","ticket":"x","cluster":[1],"golden":1}`), "suites/s.yaml", deps()); err == nil || !strings.Contains(err.Error(), "the cluster must be a name") {
		t.Errorf("a list: %v", err)
	}
}

func TestMarkedCases(t *testing.T) {
	for tags, want := range map[string][2]bool{"": {}, "critical": {true, false}, "quarantine": {false, true}, "critical,quarantine": {false, true}, "Critical": {}} {
		c := eval.Case{Tags: strings.Split(tags, ",")}
		if c.Critical() != want[0] || c.Quarantined() != want[1] {
			t.Errorf("%q: critical %v, in quarantine %v", tags, c.Critical(), c.Quarantined())
		}
	}
}
