package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// story tells the attempts of a call in their order, with what lies between them.
// The time since the call began stands at the left, where it is known.
type story struct {
	page  *page
	call  *llm.Call
	width int       // of the times
	ended time.Time // when the attempt before was over; zero where nobody knows
}

// shortPause is what passes between two attempts without anybody waiting.
const shortPause = 10 * time.Millisecond

func newStory(p *page, call *llm.Call) *story {
	return &story{page: p, call: call, width: width(since(call.Total))}
}

// since is a time of the story.
func since(d time.Duration) string { return fmt.Sprintf("+%.2f s", d.Seconds()) }

// tell writes the attempts of a turn. They are counted as max_attempts counts
// them: those in which nobody was asked have no number.
func (s *story) tell(turn llm.Turn) {
	if len(turn.Attempts) == 0 {
		s.line(time.Time{}, text("nobody was asked"))
	}
	number := 0
	for i := range turn.Attempts {
		a := &turn.Attempts[i]
		if !unasked(a) {
			number++
		}
		if left := leftOut(i, len(turn.Attempts), maxAttempts); left > 0 {
			s.line(time.Time{}, span{"… " + count(left, "attempt", "attempts") + " left out", faint})
		} else if left == 0 {
			s.between(turn.Attempts[:i], a)
			s.attempt(number, a)
		}
		s.ended = endOf(a)
	}
}

// end closes the story of a call that failed.
func (s *story) end() {
	if s.call.Failure == nil {
		return
	}
	at := s.call.Started.Add(s.call.Total)
	if turn := s.call.Turn(); turn != nil && len(turn.Attempts) > 0 && turn.Attempts[len(turn.Attempts)-1].Failure != nil {
		s.waited(at, "")
	}
	s.line(at, span{"the call failed: ", faint}, span{string(s.call.Failure.Class), bad})
}

// unasked reports an attempt in which no provider was asked.
func unasked(a *llm.Attempt) bool {
	return a.Unasked || a.Failure != nil && a.Failure.Class == fault.Missing
}

// endOf is when an attempt was over. What a stored answer took, it took before.
func endOf(a *llm.Attempt) time.Time {
	if a.Started.IsZero() || a.Stored != nil {
		return time.Time{}
	}
	return a.Started.Add(a.Queue + a.Service)
}

// between says what lay between an attempt and those before it in its turn: a
// pause, and another model.
func (s *story) between(before []llm.Attempt, a *llm.Attempt) {
	s.waited(a.Started, s.turnedTo(before, a))
}

func (s *story) waited(until time.Time, then string) {
	var said []string
	if pause := until.Sub(s.ended); !s.ended.IsZero() && !until.IsZero() && pause >= shortPause {
		said = append(said, "waited "+latency(pause))
	}
	if then != "" {
		said = append(said, then)
	}
	if len(said) > 0 {
		s.line(time.Time{}, text(strings.Join(said, ", ")))
	}
}

func (s *story) turnedTo(before []llm.Attempt, a *llm.Attempt) string {
	if len(before) == 0 || unasked(a) || a.Model == "" || before[len(before)-1].Model == a.Model {
		return ""
	}
	for i := range before {
		if before[i].Model != a.Model {
			continue
		}
		if unasked(&before[i]) {
			return "asked " + a.Model + " all the same"
		}
		return "went back to " + a.Model
	}
	return "fell back to " + a.Model
}

func (s *story) attempt(number int, a *llm.Attempt) {
	outcome := span{"answered", good}
	switch {
	case unasked(a):
		s.notAsked(a)
		return
	case a.Failure != nil:
		outcome = span{string(a.Failure.Class), bad}
		if a.Failure.Status > 0 {
			outcome.text += fmt.Sprintf(" (HTTP %d)", a.Failure.Status)
		}
	case a.Stored != nil:
		outcome = span{given(a.Stored, a.Service), good}
	case a.Finish != "" && a.Finish != llm.FinishStop:
		outcome = span{string(a.Finish), doubtful}
	}
	by := ""
	if a.Answered != "" && a.Answered != a.Wire {
		by = " by " + a.Answered
	}
	s.line(a.Started, span{fmt.Sprintf("attempt %d: ", number), faint}, text(who(a)+"  "), outcome, text(by))
	if a.Failure != nil {
		s.detail(clip(a.Failure.Message, 2000))
	}
	s.detail(figuresOf(a))
	if a.Structured != "" && (a.Failure == nil || a.Failure.Class == fault.BadRequest) { // where it can be the reason
		s.detail("form of the answer told by " + a.Structured)
	}
	if a.Skipped > 0 {
		s.detail(count(a.Skipped, "piece", "pieces") + " of the stream could not be read, and left out")
	}
	if a.ResponseID != "" {
		s.line(time.Time{}, span{"response " + a.ResponseID, faint})
	}
}

func (s *story) notAsked(a *llm.Attempt) {
	why := "nobody knows why"
	if a.Failure != nil {
		why = string(a.Failure.Class)
	}
	s.line(a.Started, text(who(a)+"  "), span{"not asked: " + why, doubtful})
	if a.Failure != nil {
		s.detail(clip(a.Failure.Message, 2000))
	}
	if waited := a.Queue + a.Service; waited >= shortPause {
		s.detail("after waiting " + latency(waited))
	}
	if a.Cost.Known && a.Cost.Amount > 0 {
		s.detail("asking would cost about " + a.Cost.String())
	}
}

// who names the model of an attempt: its alias, and what stands behind that.
func who(a *llm.Attempt) string {
	behind := a.Provider + "/" + a.Wire
	switch {
	case a.Provider == "" && a.Wire == "":
		return a.Model
	case a.Model == "" || a.Model == a.Wire:
		return behind
	}
	return a.Model + " (" + behind + ")"
}

// figuresOf are the time, tokens and price of an attempt, as far as they say anything.
func figuresOf(a *llm.Attempt) string {
	price := a.Cost.String()
	if !a.Cost.Known {
		price = "cost unknown"
	}
	var said []string
	if a.Stored == nil {
		said = append(said, servedIn(a))
	} else if a.Cost.Known {
		price += ", not paid"
	}
	if a.Failure == nil || a.Usage != (llm.Usage{}) {
		said = append(said, tokensOf(a.Usage))
	}
	if a.Failure == nil || a.Cost != llm.KnownCost(0) {
		said = append(said, price)
	}
	return strings.Join(said, "; ")
}

func servedIn(a *llm.Attempt) string {
	var said []string
	if a.Queue >= time.Millisecond {
		said = append(said, "waited "+latency(a.Queue)+" for a place")
	}
	served := "served in "
	if a.Failure != nil {
		served = "failed after "
	}
	said = append(said, served+latency(a.Service))
	if a.FirstToken > 0 {
		said = append(said, "first token after "+latency(a.FirstToken))
	}
	return strings.Join(said, ", ")
}

// detail writes more of the attempt that was told last.
func (s *story) detail(said string) {
	if said != "" {
		s.line(time.Time{}, text(said))
	}
}

// line writes spans behind a time; a time that is not of this call is left out.
func (s *story) line(at time.Time, spans ...span) {
	mark := ""
	if d := at.Sub(s.call.Started); !at.IsZero() && d >= 0 && d <= s.call.Total {
		mark = since(d)
	}
	first := "  " + pad(mark, s.width, true) + "  "
	s.page.hang(first, strings.Repeat(" ", len(first)), spans...)
}
