package cli_test

import (
	"fmt"
	"github.com/google/go-cmp/cmp"
	"os"
	"slices"
	"strings"
	"testing"
)

// within reports whether a figure is so near to another one, as a share of it.
func within(got, want int64, share float64) bool {
	return float64(max(got-want, want-got)) <= share*float64(want)
}

// states are what a project may have before a run, and how near to what is paid the
// price is told then, as a share: with nothing known it is a bound alone.
var quoteStates = []struct {
	name    string
	reach   func(q *quote)
	near    float64 // 0: exactly
	unknown bool
}{
	{"nothing", func(*quote) {}, 0, true},
	{"half recorded", func(q *quote) { q.make("--record", "--filter", "-[01]") }, 0.10, false},
	{"all recorded", func(q *quote) { q.make("--record") }, 0, false},
	{"half cached", func(q *quote) { q.make("--live", "--filter", "-[01]") }, 0, true},
	{"all cached, half recorded", func(q *quote) { q.make("--live"); q.make("--record", "--filter", "-[01]") }, 0.15, false}, // few are asked
	{"accepted, but not recorded", func(q *quote) {
		q.make("--record")
		q.mustRun(0, "baseline", "accept")
		q.remove("fixtures")
		q.remove(".llmx")
	}, 0, false},
}

// Whatever is recorded, cached or accepted before, and however replies are to come:
// the run then asks what the plan said, answers as it said, and pays what it said.
func TestARunDoesWhatItsPlanSays(t *testing.T) {
	for _, state := range quoteStates {
		q := newQuote(t)
		state.reach(q)
		for _, flags := range []string{"", "--replay", "--record", "--record --fresh", "--live", "--live --fresh", "--repeats 3", "--record --tag vip --repeats 2", "--live --filter -3"} {
			t.Run(state.name+" "+flags, func(t *testing.T) {
				args := strings.Fields(flags)
				plan := (&quote{site: q.on(t), server: q.server}).plan(args...).Total
				there := q.copied()
				there.site = there.on(t)
				did := there.make(args...)
				ask := plan.ToAsk
				if diff := cmp.Diff(ask.models(), did.asked); diff != "" || ask.Requests != did.requests || ask.MostRequests != did.requests {
					t.Errorf("asked by model (-plan +run), %d at most:\n%s", ask.MostRequests, diff)
				}
				twins := did.storedBy["recording"] + did.storedBy["cache"] + did.storedBy["shared"]
				if plan.Missing != did.unjudged || plan.Recorded+plan.Cached+plan.Shared != twins || strings.Contains(flags, "--live") && plan.Recorded > 0 {
					t.Errorf("the plan %+v, the run %+v", plan, did)
				}
				switch about, most := *ask.Cost.NanoUSD, *ask.MostCost.NanoUSD; {
				case about > most || did.paid > most:
					t.Errorf("about %d, at most %d; paid %d", about, most, did.paid)
				case state.unknown && float64(about) > 3*float64(did.paid), !state.unknown && !within(about, did.paid, state.near):
					t.Errorf("about %d, paid %d; it rests on %v", about, did.paid, ask.RestsOn)
				}
			})
		}
	}
}

// A suite that is recorded in part has a plan for the rest, with what recording it
// would cost.
func TestPlanCountsWhatIsRecordedInPart(t *testing.T) {
	q := newQuote(t)
	q.make("--record", "--filter", "-[01]")     // 20 of 40
	for flags, want := range map[string][5]int{ // recorded, shared, missing, to ask, to record
		"":                 {21, 0, 0, 19, 0}, // the twin of a recorded one is recorded
		"--replay":         {21, 0, 19, 0, 19},
		"--record":         {21, 0, 0, 19, 0},
		"--record --fresh": {0, 0, 0, 40, 0},
		"--live":           {0, 1, 0, 39, 0},
		"--live --fresh":   {0, 0, 0, 40, 0},
		"--model shut":     {0, 0, 40, 0, 40},
		"--model either":   {21, 0, 19, 0, 19}, // nobody is judged in place of who cannot be asked
	} {
		p := q.plan(strings.Fields(flags)...).Total
		if got := [5]int{p.Recorded, p.Shared, p.Missing, p.ToAsk.Requests, p.ToRecord.Requests}; got != want {
			t.Errorf("%s: %v, want %v", flags, got, want)
		}
	}
	for _, model := range []string{"small", "backed"} {
		replay, record := q.plan("--replay", "--model", model).Total, q.plan("--record", "--model", model).Total
		if diff := cmp.Diff(record.ToAsk, replay.ToRecord); diff != "" {
			t.Errorf("what is missing of %s is priced otherwise than asking for it:\n%s", model, diff)
		}
	}
}

// Each request is counted, and priced, for the model that it would go to first.
func TestPlanFollowsRoutes(t *testing.T) {
	q := newQuote(t)
	for _, route := range []string{"ruled", "drawn", "either"} {
		plan := q.plan("--record", "--model", route)
		if route == "either" {
			if len(plan.Stops) != 1 || !strings.Contains(plan.Stops[0], "NO_SUCH_KEY") {
				t.Errorf("%s: the plan is stopped by %q", route, plan.Stops)
			}
			continue
		}
		there := q.copied()
		did := there.make("--record", "--model", route)
		if diff := cmp.Diff(did.asked, plan.Total.ToAsk.models()); diff != "" || len(did.asked) != 2 {
			t.Errorf("%s: requests by model (-run +plan):\n%s", route, diff)
		}
		// Known answers, asked for anew: the price of each model counts, and that of long requests.
		if about := there.plan("--record", "--fresh", "--model", route).Total.ToAsk.Cost; *about.NanoUSD != did.paid+there.ofTwin(route, did) {
			t.Errorf("%s: about %d, paid %d", route, *about.NanoUSD, did.paid)
		}
	}
}

// ofTwin is what a fresh run pays for the twin, that another run does not.
func (q *quote) ofTwin(route string, before made) int64 {
	q.t.Helper()
	return q.copied().make("--record", "--fresh", "--model", route).paid - before.paid
}

// A cascade costs at least all of its first steps, and at most all of its steps; a
// baseline knows how many go on.
func TestPlanBoundsACascade(t *testing.T) {
	q := newQuote(t)
	args := []string{"--record", "--model", "thrifty"}
	plan := q.plan(args...).Total.ToAsk
	there := q.copied()
	did := there.make(args...)
	if plan.Requests != did.asked["small"] || plan.FirstSteps != plan.Requests || plan.MostRequests != 2*plan.Requests {
		t.Errorf("planned %d to %d requests, %d first steps; asked %v", plan.Requests, plan.MostRequests, plan.FirstSteps, did.asked)
	}
	if did.asked["large"] < quoteHard-1 || did.requests > plan.MostRequests || did.paid > *plan.MostCost.NanoUSD {
		t.Errorf("asked %v, paid %d of at most %d", did.asked, did.paid, *plan.MostCost.NanoUSD)
	}
	first := q.plan("--record", "--model", "small").Total.ToAsk
	if *plan.Cost.NanoUSD != *first.Cost.NanoUSD {
		t.Errorf("about %d, want the first steps' %d", *plan.Cost.NanoUSD, *first.Cost.NanoUSD)
	}
	there.mustRun(0, "baseline", "accept")
	again := []string{"--record", "--fresh", "--model", "thrifty"}
	known := there.plan(again...).Total.ToAsk
	if did := there.make(again...); *known.Cost.NanoUSD != did.paid || known.FirstSteps != 0 || known.RestsOn["baseline"] != quoteCases {
		t.Errorf("about %d, paid %d; %d first steps, it rests on %v", *known.Cost.NanoUSD, did.paid, known.FirstSteps, known.RestsOn)
	}
	// Of a step that is recorded it is known whether it is taken; the next one alone is asked.
	there.write("fixtures/quote.jsonl", strings.Join(slices.DeleteFunc(strings.SplitAfter(there.read("fixtures/quote.jsonl"), "\n"), func(line string) bool {
		return strings.Contains(line, `"loopback/large"`)
	}), ""))
	rest := there.plan("--record", "--model", "thrifty").Total
	if rest.ToAsk.RestsOn["baseline"] > 0 {
		t.Errorf("a second step is priced by the whole path: %v", rest.ToAsk.RestsOn)
	}
	if did := there.make("--record", "--model", "thrifty"); rest.ToAsk.Requests != did.asked["large"] || did.asked["small"] > 0 || rest.ToAsk.MostRequests != rest.ToAsk.Requests {
		t.Errorf("planned %+v, asked %v", rest.ToAsk, did.asked)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

// What the baseline says of other models, other inputs or another price is not taken
// for what is asked now.
func TestPlanTakesNoOtherPrice(t *testing.T) {
	q := newQuote(t)
	q.make("--record")
	q.mustRun(0, "baseline", "accept")
	fresh := []string{"--record", "--fresh"}
	before := q.plan(fresh...).Total.ToAsk
	if before.RestsOn["recording"] != quoteCases {
		t.Errorf("the price rests on %v", before.RestsOn)
	}
	q.write("llmx.yaml", strings.Replace(q.read("llmx.yaml"), "small: {provider: loopback, price: {input: 1, output: 4}}", "small: {provider: loopback, price: {input: 2, output: 8}}", 1))
	if now := q.plan(fresh...).Total.ToAsk; *now.Cost.NanoUSD != 2*(*before.Cost.NanoUSD) {
		t.Errorf("at twice the price about %d, before %d", *now.Cost.NanoUSD, *before.Cost.NanoUSD)
	}
	q.settings("")
	q.remove("fixtures")
	if now := q.plan("--record").Total.ToAsk; now.RestsOn["baseline"] != quoteCases-1 {
		t.Errorf("without recordings it rests on %v", now.RestsOn)
	}
	q.write("llmx.yaml", strings.Replace(q.read("llmx.yaml"), "small: {provider: loopback,", "small: {provider: loopback, model: bigger,", 1))
	if now := q.plan("--record").Total.ToAsk; now.RestsOn["max_tokens"] != quoteCases-1 {
		t.Errorf("with another model it rests on %v", now.RestsOn)
	}
	q.settings("")
	q.write("prompts/triage/draft.prompty", strings.Replace(quotePrompt, "Label the ticket", "Give the ticket a label", 1))
	if now := q.plan("--record").Total.ToAsk; now.RestsOn["older"] != quoteCases-1 {
		t.Errorf("with an edited prompt it rests on %v", now.RestsOn)
	}
	q.write("suites/quote.jsonl", strings.ReplaceAll(q.read("suites/quote.jsonl"), "came late", "is too late"))
	if now := q.plan("--record").Total.ToAsk; now.RestsOn["max_tokens"] != quoteCases-1 {
		t.Errorf("with other inputs it rests on %v", now.RestsOn)
	}
}

// An edited prompt has no recordings; what it will cost is told from the answers to
// the one before.
func TestAnEditedPromptIsPricedByTheAnswersBefore(t *testing.T) {
	q := newQuote(t)
	q.make("--record")
	if other := q.plan("--record", "--model", "large").Total.ToAsk; other.RestsOn["mean"] != other.Requests {
		t.Errorf("another model's price rests on %v", other.RestsOn)
	}
	q.write("prompts/triage/draft.prompty", strings.Replace(quotePrompt, "Label the ticket", "Be kind. Give the ticket, which a customer has written, a label", 1))
	plan := q.plan("--record").Total.ToAsk
	if did := q.make("--record"); plan.RestsOn["mean"] != did.requests || !within(*plan.Cost.NanoUSD, did.paid, 0.05) {
		t.Errorf("about %d, paid %d; it rests on %v", *plan.Cost.NanoUSD, did.paid, plan.RestsOn)
	}
}

// A price that nobody knows is unknown, and no part of a sum; nor is there a bound
// without max_tokens.
func TestPlanSaysWhatItDoesNotKnow(t *testing.T) {
	q := newQuote(t)
	plan := q.plan("--live", "--model", "small,gift,free")
	ask, small, free := plan.Total.ToAsk, plan.Groups[0].ToAsk, plan.Groups[2].ToAsk
	if ask.Cost.NanoUSD != nil || ask.Cost.USD != "unknown" || ask.MostCost.NanoUSD != nil || ask.Unpriced != quoteCases-1 || !slices.Equal(ask.UnpricedOf, []string{"gift"}) {
		t.Errorf("with a model without a price: %+v", ask)
	}
	if *ask.Priced.NanoUSD != *small.Cost.NanoUSD || *small.Cost.NanoUSD == 0 || free.Cost.NanoUSD == nil || *free.Cost.NanoUSD != 0 {
		t.Errorf("those with a price: %+v, %+v of %+v", small, free, ask.Priced)
	}
	if gift := plan.Groups[1].ToAsk; gift.Time.Seconds != nil || gift.Cost.NanoUSD != nil {
		t.Errorf("nothing is known of gift: %+v", gift)
	}
	q.write("prompts/triage/draft.prompty", strings.Replace(quotePrompt, ", max_tokens: 40", "", 1))
	if ask := q.plan("--live").Total.ToAsk; ask.Cost.NanoUSD == nil || ask.MostCost.NanoUSD != nil || ask.Unbounded != quoteCases-1 || ask.RestsOn["guess"] != quoteCases-1 {
		t.Errorf("without max_tokens: %+v", ask)
	}
}

// The time is what the jobs need, or what limits make of it.
func TestPlanSaysHowLongItTakes(t *testing.T) {
	q := newQuote(t)
	for limits, want := range map[string]struct {
		seconds float64
		held    string
	}{
		"":                      {20, ""}, // 40 × 2 s, four at once
		"limits: {rpm: 1000}, ": {20, ""},
		// A quarter of a minute's at once, the others over the minute.
		"limits: {rpm: 40}, ":         {61 * 30 / 31.0, "rpm 40 of dice"},
		"limits: {concurrency: 2}, ":  {40, "concurrency 2 of dice"},
		"limits: {concurrency: 10}, ": {20, ""},
	} {
		q.settings("")
		q.write("llmx.yaml", strings.Replace(q.read("llmx.yaml"), "dice:  {provider: sim, ", "dice:  {provider: sim, "+limits, 1))
		got := q.plan("--live", "--model", "dice").Total.ToAsk.Time
		if got.Seconds == nil || *got.Seconds < want.seconds-0.01 || *got.Seconds > want.seconds+0.01 || strings.Join(got.HeldBy, "") != want.held {
			t.Errorf("%s: %v s, held by %q; want %+v", limits, got.Seconds, got.HeldBy, want)
		}
	}
	q.settings("")
	q.write("llmx.yaml", strings.Replace(q.read("llmx.yaml"), "small: {provider: loopback, ", "small: {provider: loopback, limits: {rpm: 20}, ", 1))
	if got := q.plan("--live").Total.ToAsk.Time; got.Seconds != nil || got.AtLeast == nil || *got.AtLeast < 60 || len(got.RestsOn) > 0 {
		t.Errorf("without a latency, but a limit: %+v", got)
	}
	q.make("--record", "--filter", "-00")
	if got := q.plan("--record", "--model", "drawn").Total.ToAsk.Time; got.Seconds != nil || len(got.RestsOn) != 1 || got.AtLeast == nil || *got.AtLeast < 20 {
		t.Errorf("with a recorded reply of one of two models: %+v", got)
	}
	if got := q.plan("--record").Total.ToAsk.Time; got.Seconds == nil || !slices.Equal(got.RestsOn, []string{"the recorded replies of loopback/small"}) {
		t.Errorf("with a recorded reply: %+v", got)
	}
}

// The simulated model charges a price like any other.
func TestPlanPricesASimulatedRun(t *testing.T) {
	q := newQuote(t)
	q.write("llmx.yaml", strings.Replace(q.read("llmx.yaml"), ", latency: {p50: 2s}", "", 1))
	plan := q.plan("--live", "--model", "dice").Total.ToAsk
	did := q.make("--live", "--model", "dice")
	if *plan.MostCost.NanoUSD < did.paid || *plan.Cost.NanoUSD < did.paid || *plan.Cost.NanoUSD > 4*did.paid {
		t.Errorf("about %d, at most %d; paid %d", *plan.Cost.NanoUSD, *plan.MostCost.NanoUSD, did.paid)
	}
	q.mustRun(0, "baseline", "accept")
	known := q.plan("--live", "--model", "dice").Total.ToAsk
	if did := q.make("--live", "--model", "dice"); *known.Cost.NanoUSD != did.paid || known.Requests != quoteCases {
		t.Errorf("with a baseline about %d, paid %d", *known.Cost.NanoUSD, did.paid)
	}
}

// Real questions and real answers: from the first tenth of the cases, the price of the
// others is told within 10 %.
func TestPlanPricesGSM8K(t *testing.T) {
	problems, err := gsm8kProblems(t)
	if err != nil {
		t.Skip("the GSM8K answers are not here:", err)
	}
	j := newJourney(t, problems, "6b_finetuning", "175b_verification", gsm8kCases)
	q := &quote{site: j.site, server: j.server}
	j.point(j.now)
	j.test("gsm8k", "--record", "--filter", "^0[01][0-3]")
	plan := q.plan("--record").Total
	code, stdout, stderr := j.run("test", "--record", "--json")
	var run struct{ Verdict struct{ Paid planCost } }
	decode(t, []byte(stdout), &run)
	if run.Verdict.Paid.NanoUSD == nil {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	about, paid := *plan.ToAsk.Cost.NanoUSD, *run.Verdict.Paid.NanoUSD
	t.Logf("%d recorded, %d asked: about %d nano-USD, paid %d, ratio %.3f", plan.Recorded, plan.ToAsk.Requests, about, paid, float64(about)/float64(paid))
	if plan.Recorded+plan.ToAsk.Requests != gsm8kCases || plan.Recorded < 50 || !within(about, paid, 0.1) {
		t.Errorf("%+v; paid %d", plan, paid)
	}
}

// A plan that is dearer than what may be spent says so, and the run then stops.
func TestPlanMeetsBudgets(t *testing.T) {
	q := newQuote(t)
	q.make("--record") // the answers are known, so the plan is exact
	fresh := []string{"--record", "--fresh"}
	ask := q.plan(fresh...).Total.ToAsk
	about, most := *ask.Cost.NanoUSD, *ask.MostCost.NanoUSD
	usd := func(nano int64) string { return fmt.Sprintf("%.9f", float64(nano)/1e9) }
	for name, test := range map[string]struct {
		limit int64
		want  string // how the warning begins
	}{
		"enough for the longest answers": {most, ""},
		"enough for what is expected":    {most - 1, "the run may stop before it is done"},
		"half of it":                     {about / 2, "the run would stop before it is done"},
	} {
		for kind, args := range map[string][]string{
			"--max-cost":                 append(fresh[:2:2], "--max-cost", usd(test.limit)),
			"scope: run, per: run":       fresh,
			"scope: prompt, per: run":    fresh,
			"scope: project, per: month": fresh,
		} {
			there := q.copied()
			there.remove(".llmx")
			if kind != "--max-cost" {
				there.settings(fmt.Sprintf("budgets: [{%s, usd: %s}]\n", kind, usd(test.limit)))
				there.write("llmx.yaml", strings.Replace(there.read("llmx.yaml"), "gift:  {provider: loopback}", "gift:  {provider: loopback, price: {input: 1, output: 4}}", 1))
			}
			ends := there.plan(args...).Ends
			if len(ends) > 1 || test.want != strings.Join(ends, "") && !strings.HasPrefix(strings.Join(ends, ""), test.want) || (test.want == "") != (len(ends) == 0) {
				t.Errorf("%s, %s: %q", name, kind, ends)
			}
			_, run := there.test(args...)
			if done := run.Verdict.Judged == run.Verdict.Planned; done != (test.limit >= about) {
				t.Errorf("%s, %s: %d of %d results are judged", name, kind, run.Verdict.Judged, run.Verdict.Planned)
			}
			if again := there.plan(args...).Ends; kind == "scope: project, per: month" && len(again) != 1 { // what was spent is gone
				t.Errorf("%s: once more: %q", name, again)
			}
		}
	}
}
