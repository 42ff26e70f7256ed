// Package sim is a simulated model: it costs nothing, needs no network, and
// gives the same answer to the same ask on every machine. It is there for trying
// llmx, and for testing gates: accuracy, latency, malformed answers and errors
// are set, as Options says. It imports llm and fault alone.
//
// The right answer is known from Request.Hint, the case's golden. Without one the
// answer is any that meets the output contract.
package sim

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// Options set up a simulated model. In llmx.yaml they stand with the model:
//
//	models:
//	  small: {provider: sim, model: small, sim: {seed: 1, accuracy: 0.9, latency: {p50: 300ms, p95: 900ms}, malformed: 0.01, errors: 0.02}}
//
// Everything is drawn from a hash of seed, model, messages, options and repeat:
// never from the clock, the hint or the order of asks. Whether an ask meets an error
// depends on which attempt of its call it is, too, and on how often the call was made in
// vain: asking again may do better, and the nth attempt comes out the same in every run.
// What is answered is the same whichever attempt is answered.
type Options struct {
	Name  string // the provider's name in llmx.yaml, for messages
	Model string // the model's name; answers come from "sim/<Model>"
	Seed  uint64

	// Accuracy is the share of asks with a hint that are answered right, 0 … 1;
	// nil for 1.
	Accuracy *float64
	Latency  Latency
	// Malformed is the share of JSON and number answers, and of arguments of tool calls,
	// that break their form, and
	// Errors the share of attempts that fail with a retriable class, both 0 … 1.
	Malformed float64
	Errors    float64

	// Confidence names a number of a JSON answer that says how sure the model is: high
	// where the answer is right, low where it is wrong, with an overlap. "" for none.
	Confidence string
	// Sleep waits; nil for a real timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Latency is a log-normal distribution of the time to a whole answer, by two of
// its quantiles. P95 at or below P50 makes it constant; the zero value is none.
type Latency struct {
	P50, P95 time.Duration
}

// The share of the latency that passes before the first token, and the most
// pieces that an answer is sent in.
const (
	beforeFirst = 0.4
	maxPieces   = 4
)

// New makes a simulated model. Shares outside 0 … 1 count as the nearest of both.
func New(o Options) llm.Model {
	m := &model{o: o, accuracy: 1}
	if o.Accuracy != nil {
		m.accuracy = *o.Accuracy
	}
	if o.Sleep == nil {
		m.o.Sleep = sleep
	}
	return m
}

type model struct {
	o        Options
	accuracy float64
	schemas  schemas
}

// Stream answers in up to four pieces of text, or of the arguments of each call of a
// tool, and an end. Where tools are offered it calls one as wishes says.
func (m *model) Stream(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if err := fault.Ended(ctx, nil); err != nil {
			yield(llm.Event{}, err)
			return
		}
		d := m.drawOf(req)
		total := m.latency(d.of("latency"))
		if err := m.wait(ctx, time.Duration(beforeFirst*float64(total))); err != nil {
			yield(llm.Event{}, err)
			return
		}
		if luck := d.attempt(llm.RoundFrom(ctx), m.before(ctx)); luck.of("error").share() < m.o.Errors {
			yield(llm.Event{}, m.failure(luck.of("error class")))
			return
		}
		pieces, finish, said, err := m.respond(d, req)
		if err != nil {
			yield(llm.Event{}, err)
			return
		}
		if err := m.send(ctx, pieces, total, yield); err != nil {
			if err != errStopped {
				yield(llm.Event{}, err)
			}
			return
		}
		usage := usageOf(req, said)
		if req.Output.Kind == llm.OutputEmbedding {
			usage.Output = 0 // a vector has no tokens
		}
		yield(llm.Event{End: &llm.End{
			Finish: finish, Usage: usage, Model: "sim/" + m.o.Model, ResponseID: d.responseID(),
		}}, nil)
	}
}

// respond gives the pieces of an answer in text, or of the calls of tools; said is all
// that is said in them.
func (m *model) respond(d draw, req llm.Request) (pieces []llm.Event, finish llm.FinishReason, said string, err error) {
	if wishes := m.wishes(d, &req); len(wishes) > 0 {
		calls, err := m.calls(d, wishes)
		for i, call := range calls {
			pieces = append(pieces, llm.Event{ToolCall: &llm.ToolCallDelta{Index: i, ID: call.ID, Name: call.Name}})
			for _, piece := range split(call.Arguments) {
				pieces = append(pieces, llm.Event{ToolCall: &llm.ToolCallDelta{Index: i, Arguments: piece}})
			}
			said += call.Name + call.Arguments
		}
		return pieces, llm.FinishToolCalls, said, err
	}
	text, err := m.answer(d, req)
	for _, piece := range split(text) {
		pieces = append(pieces, llm.Event{Text: piece})
	}
	return pieces, llm.FinishStop, text, err
}

var errStopped = fault.New(fault.Canceled, "the consumer has stopped")

// send yields the pieces, over the rest of the latency.
func (m *model) send(ctx context.Context, pieces []llm.Event, total time.Duration, yield func(llm.Event, error) bool) error {
	for i, piece := range pieces {
		if i > 0 {
			if err := m.wait(ctx, time.Duration((1-beforeFirst)*float64(total))/time.Duration(len(pieces)-1)); err != nil {
				return err
			}
		}
		if !yield(piece, nil) {
			return errStopped
		}
	}
	return nil
}

// split cuts a text into at most maxPieces of about the same size, at the
// borders of characters.
func split(text string) []string {
	size := max((len(text)+maxPieces-1)/maxPieces, 8)
	pieces := make([]string, 0, maxPieces)
	for len(text) > size {
		cut := size
		for cut < len(text) && !utf8.RuneStart(text[cut]) {
			cut++
		}
		pieces = append(pieces, text[:cut])
		text = text[cut:]
	}
	if text != "" {
		pieces = append(pieces, text)
	}
	return pieces
}

// latency draws the time to a whole answer. With z95 = Φ⁻¹(0.95), a log-normal
// has the median e^μ and the 95 % quantile e^(μ + z95·σ).
func (m *model) latency(d draw) time.Duration {
	const z95 = 1.6448536269514722
	p50, p95 := m.o.Latency.P50, m.o.Latency.P95
	if p50 <= 0 || p95 <= p50 {
		return max(p50, 0)
	}
	sigma := math.Log(float64(p95)/float64(p50)) / z95
	return time.Duration(math.Min(float64(p50)*math.Exp(sigma*d.normal()), float64(time.Hour)))
}

func (m *model) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := m.o.Sleep(ctx, d); err != nil {
		return woken(ctx, err)
	}
	return nil
}

// woken is why a wait was broken off: the end of ctx, or of a Sleep of another kind.
func woken(ctx context.Context, err error) error {
	if ended := fault.Ended(ctx, err); ended != nil {
		return ended
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.TimeoutTotal, "the deadline passed").Because(err)
	}
	return fault.New(fault.Canceled, "the caller went away").Because(err)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// before counts the attempts at this model in the turn that is under way: those of other
// turns ask something else. It is the call that counts, and not the model: of the same ask
// in two calls it would be chance which is the first.
func (m *model) before(ctx context.Context) int {
	n := 0
	if turn := llm.CallFrom(ctx).Turn(); turn != nil {
		for i := range turn.Attempts {
			if a := &turn.Attempts[i]; a.Provider == m.o.Name && a.Wire == m.o.Model && !a.Unasked {
				n++
			}
		}
	}
	return n
}

// failure is one of the failures that a retry might mend.
func (m *model) failure(d draw) error {
	e := fault.New(fault.Network, "%s: simulated: connection reset", m.o.Name)
	switch d.below(3) {
	case 0:
		e = fault.New(fault.RateLimited, "%s: simulated: too many requests", m.o.Name)
		e.Status, e.RetryAfter = 429, 100*time.Millisecond
	case 1:
		e = fault.New(fault.ServerError, "%s: simulated: internal error", m.o.Name)
		e.Status = 500
	}
	return e.WithHint("errors: of the model's sim settings makes these; every attempt draws anew")
}

func (d draw) responseID() string {
	id := uint64(d.of("id"))
	var raw [8]byte
	for i := range raw {
		raw[i] = byte(id >> (8 * i))
	}
	return "sim-" + hex.EncodeToString(raw[:])
}

// mediaTokens is what an image or a file counts.
const mediaTokens = 256

// usageOf counts a token for every four characters begun, in the messages and tools
// together and in the answer, and mediaTokens for an image or a file. This is the
// simulator's own rule, so nothing is estimated.
func usageOf(req llm.Request, answer string) llm.Usage {
	chars, media := 0, 0
	for i := range req.Messages {
		for _, part := range req.Messages[i].Parts {
			chars += utf8.RuneCountInString(part.Text)
			if part.Media != nil {
				media++
			}
			if part.ToolCall != nil {
				chars += utf8.RuneCountInString(part.ToolCall.Arguments)
			}
			if part.ToolResult != nil {
				chars += utf8.RuneCountInString(part.ToolResult.Content)
			}
		}
	}
	chars += utf8.RuneCount(req.Tools.Text())
	return llm.Usage{
		Input:  int64((chars+3)/4 + media*mediaTokens),
		Output: int64(utf8.RuneCountInString(answer)+3) / 4,
	}
}

// noAnswer is the failure of a schema that the simulator cannot read.
func noAnswer(err error) error {
	return fault.New(fault.BadRequest, "the output schema is no JSON: %v", err).Because(fmt.Errorf("simulated model: %w", err))
}
