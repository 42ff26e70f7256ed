package telemetry

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`llmx_[a-z_]+`)

// The dashboard and the alert rules speak of metrics that there are, and of most of them.
func TestDashboardAndAlertsNameMetricsThatThereAre(t *testing.T) {
	var names []string
	for _, m := range Metrics() {
		names = append(names, m.Name)
	}
	used := map[string]bool{}
	for _, file := range []string{"grafana.json", "alerts.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metricName.FindAllString(string(text), -1) {
			base := name
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, part)
			}
			if !slices.Contains(names, base) {
				t.Errorf("%s names %s, which there is not", file, name)
			}
			used[base] = true
		}
	}
	if len(used) < 15 {
		t.Errorf("they use %d metrics alone", len(used))
	}
	text, _ := os.ReadFile("grafana.json")
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &dashboard); err != nil || len(dashboard.Panels) == 0 {
		t.Errorf("the dashboard is no dashboard: %v", err)
	}
}

// Every metric of the table is served, and no other of ours.
func TestTheTableIsWhatIsServed(t *testing.T) {
	tel := newTest(t, Options{Gauges: Gauges{
		Budgets: func() []Budget { return []Budget{{Scope: "project", Per: "day"}} }, Recording: func() (bool, int64) { return true, 0 }, Reloaded: func() bool { return true },
	}})
	tel.Record(troubled())
	unpriced := troubled()
	unpriced.Turns[0].Attempts[0].Paid.Known = false
	tel.Record(unpriced)
	tel.Begin()(Request{Pattern: "GET /x", Begun: begun, Call: troubled()})
	tel.Breaker("small", true)
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	served := map[string]bool{}
	for line := range strings.Lines(w.Body.String()) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			served[strings.Fields(name)[0]] = true
		}
	}
	for _, m := range Metrics() {
		if !served[m.Name] {
			t.Errorf("%s is not served", m.Name)
		}
		delete(served, m.Name)
	}
	for name := range served {
		if strings.HasPrefix(name, "llmx_") {
			t.Errorf("%s is not in the table", name)
		}
	}
}
