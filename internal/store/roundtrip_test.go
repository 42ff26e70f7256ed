package store

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

var ctx = context.Background()

// fillValue sets every exported field to something that is not its zero value,
// and different each time.
func fillValue(v reflect.Value, next *int) {
	*next++
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(testNow.Add(time.Duration(*next) * time.Second)))
		return
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes(fmt.Appendf(nil, `{"n":%d}`, *next))
		return
	case reflect.TypeFor[llm.Options]():
		v.Set(reflect.ValueOf(llm.Options{"temperature": []byte("0"), "stop": fmt.Appendf(nil, `["%d"]`, *next)}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text <%d> with ü, \x00 and \"quotes\"", *next))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*next))
	case reflect.Float64:
		v.SetFloat(float64(*next) / 8)
	case reflect.Uint8:
		v.SetUint(uint64(*next % 256))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), next)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(v.Index(i), next)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fillValue(value, next)
		v.SetMapIndex(reflect.ValueOf("key"), value)
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i), next)
		}
	case reflect.Interface, reflect.Func: // not kept
	default:
		panic("no filling for " + v.Type().String())
	}
}

func filled[T any](seed int) T {
	var value T
	fillValue(reflect.ValueOf(&value).Elem(), &seed)
	return value
}

func TestRunKeepsEveryField(t *testing.T) {
	s := tempStore(t)
	want := filled[eval.Run](1)
	want.ID = "01J9ZX"
	if err := s.BeginRun(ctx, want); err != nil {
		t.Fatal(err)
	}
	if err := s.EndRun(ctx, want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Run(ctx, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	listed, err := s.Runs(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	want.Verdict = nil
	if diff := cmp.Diff([]eval.Run{want}, listed); diff != "" {
		t.Error(diff)
	}
}

func TestResultKeepsEveryField(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	full, empty := filled[eval.Result](1), eval.Result{Suite: "zz", Case: "c"}
	full.Run, empty.Run = run.ID, run.ID
	partly := full
	partly.Repeat++
	partly.Cost, partly.Scores = llm.Cost{Amount: 12}, nil // an unknown sum keeps the known part
	beside := empty
	beside.Arm = full.Arm
	want := []eval.Result{full, partly, beside}
	for _, result := range append(want, empty) {
		if err := s.AddResult(result); err != nil {
			t.Fatal(err)
		}
	}
	endRun(t, s, run)
	if diff := cmp.Diff(want, results(t, s, run.ID, ResultFilter{Arm: full.Arm})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]eval.Result{empty}, results(t, s, run.ID, ResultFilter{})); diff != "" {
		t.Errorf("an arm comes only to who asks for it: %s", diff)
	}
	of, err := s.ByCase(t.Context(), run.ID, ResultFilter{Arm: full.Arm})
	if err != nil {
		t.Fatal(err)
	}
	for id, wanted := range map[string][]eval.Result{full.Case: {full, partly}, empty.Case: {beside}, "nobody": nil} {
		var got []eval.Result
		for r, err := range of(id) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("of case %q: %s", id, diff)
		}
	}
}

func results(t testing.TB, s *Store, run string, f ResultFilter) []eval.Result {
	t.Helper()
	var all []eval.Result
	for result, err := range s.Results(ctx, run, f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, result)
	}
	return all
}

func TestCallKeepsEveryField(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	full := filled[llm.Call](1)
	inRun := filled[llm.Call](500)
	full.Feedback, inRun.Feedback = nil, nil // comes later, see AddFeedback
	inRun.Origin.Run = run.ID
	inRun.Answer = inRun.Turns[1].Answer // as it is for a call that ended well
	bare := llm.Call{ID: "bare", Started: testNow}
	for _, want := range []llm.Call{full, inRun, bare} {
		s.Record(&want)
	}
	endRun(t, s, run)
	for _, want := range []llm.Call{full, inRun, bare} {
		got, err := s.Call(ctx, want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Error(diff)
		}
	}
	_, err := s.Call(ctx, "nope")
	wantFault(t, err, fault.Usage, `there is no call "nope"`)
}

func TestPromptIsKeptOncePerHash(t *testing.T) {
	s := tempStore(t)
	ref := llm.PromptRef{Name: "triage", Version: "1.2.0", Hash: "abc"}
	for _, again := range []llm.PromptRef{ref, {Name: "triage", Version: "draft", Hash: "abc"}} {
		if err := s.SavePrompt(again, []byte("system:\nhello")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	content, got, err := s.Prompt(ctx, "abc")
	if err != nil || string(content) != "system:\nhello" || got != ref {
		t.Errorf("got %q of %v, %v", content, got, err)
	}
	_, _, err = s.Prompt(ctx, "def")
	wantFault(t, err, fault.Usage, `no prompt with the hash "def"`)
}

func TestChecksAreATableForSQL(t *testing.T) {
	s := tempStore(t)
	run := beginRun(t, s, "run")
	result := sampleResult(run.ID, 1)
	result.Scores = []eval.Score{
		{Check: "golden", Value: 0, Reason: `label: want "a"`},
		{Check: "max_cost", Metric: "thrift", Value: 0.5, Pass: true, Operational: true},
	}
	if err := s.AddResult(result); err != nil {
		t.Fatal(err)
	}
	endRun(t, s, run)
	rows, err := s.readers.Query(`SELECT n, "check", coalesce(metric, ''), value, pass, coalesce(reason, ''), operational FROM checks ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []eval.Score
	for rows.Next() {
		var n int
		var score eval.Score
		if err := rows.Scan(&n, &score.Check, &score.Metric, &score.Value, &score.Pass, &score.Reason, &score.Operational); err != nil {
			t.Fatal(err)
		}
		got = append(got, score)
	}
	if diff := cmp.Diff(result.Scores, got); diff != "" {
		t.Error(diff)
	}
}

// A store of before has no repair scores: what was valid then needed no repair.
func TestResultsOfBeforeNeededNoRepair(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmx.db")
	s := openTest(t, path, Options{})
	run := beginRun(t, s, "run")
	for i, valid := range []eval.Validity{eval.Valid, eval.Violated, eval.NoContract} {
		if err := s.AddResult(eval.Result{Run: run.ID, Case: "c", Repeat: i, Valid: valid, RepairScore: 0.5}); err != nil {
			t.Fatal(err)
		}
	}
	endRun(t, s, run)
	foreign(t, path, "UPDATE results SET repair_score = NULL")
	for i, r := range results(t, s, run.ID, ResultFilter{}) {
		if want := []float64{1, 0, 0}[i]; r.RepairScore != want {
			t.Errorf("%q: %v, want %v", r.Valid, r.RepairScore, want)
		}
	}
}
