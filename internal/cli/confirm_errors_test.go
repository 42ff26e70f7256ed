package cli_test

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// errorAnew makes one of the answers that confirm flips end in an error, until mended.
func (a *ages) errorAnew(arm bool, cases ...int) (mend func()) {
	broken := true
	a.reply = func(edited bool, _ string, n int, reply *upstream.Reply) {
		if !broken || edited != arm || len(a.asked) <= 2*agesCases {
			return
		}
		for _, one := range cases {
			if n == one {
				*reply = upstream.Reply{Status: 400, Body: `{"error": {"message": "no", "code": "invalid_request"}}`}
			}
		}
	}
	return func() { a.mu.Lock(); broken = false; a.mu.Unlock() }
}

// One error among the answers that confirm flips held up every verdict, also where it
// could not have made a difference.
func TestAnErrorAmongConfirmingAnswersDecidesNothing(t *testing.T) {
	const flips = 10
	for name, test := range map[string]struct {
		stays bool
		arm   bool // that has the error
		exit  int
		word  eval.Word
		note  string
	}{
		"a regression": {true, true, 1, eval.Regressed, "5 of 100 answers asked for anew, in both arms, were not judged (one of them: bad_request: "},
		"by chance":    {false, false, 0, eval.Inconclusive, "it passes even if all of them had spoken against it"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAges(t)
			a.edit()
			a.wrong = func(edited bool, _ string, n int) bool {
				return edited && n < flips && (test.stays || len(a.asked) <= 2*agesCases)
			}
			a.errorAnew(test.arm, 3)
			got := a.against(test.exit, "--against", "main")
			gate, c := got.Groups[0].Gates[0], got.Groups[0].Confirmed
			if gate.Word != test.word || !strings.Contains(gate.Note, test.note) || c.Missing != 5 || c.LeftOut != 1 || c.Down+c.Up+c.Same != flips-1 {
				t.Errorf("%+v, %+v", gate, c)
			}
			if shown := got.Groups[0].Against.Prompt.Shown; shown != test.stays {
				t.Errorf("shown: %v: %s", shown, got.Groups[0].Against.Sentence)
			}
		})
	}
}

// Where the verdict hangs on what is missing there is none; asking for it, and for nothing
// else, brings it.
func TestAVerdictThatHangsOnAConfirmingAnswer(t *testing.T) {
	const flips = 5 // of five that all get worse a test of signs rejects, of four it does not
	a := newAges(t)
	a.edit()
	a.wrong = func(edited bool, _ string, n int) bool { return edited && n < flips }
	mend := a.errorAnew(true, 3)
	got := a.against(4, "--against", "main", "--confirm", "1")
	want := "what flipped could not be confirmed: 1 of 10 answers asked for anew, in both arms, was not judged (bad_request: "
	if !strings.Contains(got.Verdict.Sentence, want) || !strings.Contains(got.Verdict.Sentence, "on them it hangs whether the gate holds") {
		t.Error(got.Verdict.Sentence)
	}
	if said := got.Groups[0].Against.Sentence; strings.Contains(said, "It is your edit") || !strings.Contains(said, "Your edit: cannot be told, 1 of 10 answers") {
		t.Error(said)
	}
	mend()
	got = a.against(1, "--resume", strings.Fields(a.mustRun(0, "runs"))[6])
	if len(a.asked) != 1 || got.Verdict.Word != eval.Regressed {
		t.Errorf("%d requests, %+v", len(a.asked), got.Verdict)
	}
	said := got.Groups[0].Against.Sentence
	if !strings.HasSuffix(said, " What it says of your edit rests on 5 cases that flipped, asked once anew in both arms; the table has the first answers.") {
		t.Error(said)
	}
}

// Half of an arm was missing, and a sentence said whose fall it was.
func TestAnEditIsNotToldByHalfOfAnArm(t *testing.T) {
	for name, test := range map[string]struct {
		wrong    bool // in the edited arm, else in the other
		arm      bool // that has the errors
		errors   int
		exit     int
		sentence string
	}{
		"of the edit": {false, true, 20, 4, "Not you: the model moved −20.0 points since "},
		"beside":      {true, false, 20, 4, "Neither your edit nor the model can be told: 20 of 40 results at HEAD ("},
		// the eight that fell are beyond what three more passes could have mended
		"few enough": {true, true, 3, 1, "It is your edit: −21.6 points ("},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAges(t)
			if code, _, errs := a.in(a.dir, "test"); code != 0 {
				t.Fatal(errs)
			}
			a.mustRun(0, "baseline", "accept")
			a.commit("the baseline")
			a.edit()
			a.wrong = func(edited bool, _ string, n int) bool { return edited == test.wrong && n >= agesCases-8 }
			a.reply = func(edited bool, _ string, n int, reply *upstream.Reply) {
				if edited == test.arm && n < test.errors {
					*reply = upstream.Reply{Status: 400, Body: `{"error": {"message": "no", "code": "invalid_request"}}`}
				}
			}
			got := a.against(test.exit, "--against", "HEAD", "--confirm", "0")
			c := got.Groups[0].Against
			if !strings.HasPrefix(c.Sentence, test.sentence) || c.Prompt.Shown != (test.exit == 1) || (c.Untold == "") != (test.exit == 1) {
				t.Errorf("%s\n%s\n%+v", got.Verdict.Sentence, c.Sentence, c.Prompt)
			}
		})
	}
}
