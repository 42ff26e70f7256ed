package route

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Rule gives the models for the requests that it matches: all of its conditions
// must hold, an empty one always does.
type Rule struct {
	Prompts []string // one of these
	Tags    []string // has one of these
	Tokens  Range    // of the rendered messages, estimated
	Input   Range    // characters of the inputs
	Use     []string
}

// Range is from Min to Max, both included; Max 0 is no bound.
type Range struct{ Min, Max int }

func (r Range) holds(n int) bool { return n >= r.Min && (r.Max == 0 || n <= r.Max) }

func (r Range) empty() bool { return r == Range{} }

// First is the model that a request is meant for: who answers unless something
// goes wrong.
func (p Policy) First(req llm.Request) string {
	if order := p.order(req); len(order) > 0 {
		return order[0]
	}
	return ""
}

// Next is the step of a cascade behind the model of that alias, in the order for
// the request; last where there is none.
func (p Policy) Next(req llm.Request, alias string) (step int, last bool) {
	req.Step = 0
	order := p.order(req)
	step = slices.Index(order, alias) + 1
	return step, step == 0 || step >= len(order)
}

// order lists the models for a request, the one to ask first at its head.
func (p Policy) order(req llm.Request) []string {
	use, weights := p.Use, p.Weights
	for i := range p.Rules {
		if p.Rules[i].matches(req) {
			use, weights = p.Rules[i].Use, nil
			break
		}
	}
	if weights != nil {
		use = draw(use, weights, p.stuck(req))
	}
	return use[min(req.Step, len(use)):]
}

// all lists every model that the policy may ask, each once.
func (p Policy) all() []string {
	all := slices.Clone(p.Use)
	for _, rule := range p.Rules {
		all = append(all, rule.Use...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *Rule) matches(req llm.Request) bool {
	if len(r.Prompts) > 0 && !slices.Contains(r.Prompts, req.Prompt.Name) {
		return false
	}
	if len(r.Tags) > 0 && !slices.ContainsFunc(req.Tags, func(tag string) bool { return slices.Contains(r.Tags, tag) }) {
		return false
	}
	if !r.Tokens.empty() && !r.Tokens.holds(int(llm.EstimateRequest(&req))) {
		return false
	}
	return r.Input.empty() || r.Input.holds(inputSize(req))
}

// inputSize counts the characters of the inputs; of a request without a prompt,
// those of its last message.
func inputSize(req llm.Request) int {
	if req.Prompt.Name == "" && len(req.Messages) > 0 {
		return utf8.RuneCountInString(req.Messages[len(req.Messages)-1].Text())
	}
	n := 0
	for _, value := range req.Vars {
		n += valueSize(value)
	}
	return n
}

func valueSize(value any) int {
	switch v := value.(type) {
	case string:
		return utf8.RuneCountInString(v)
	case []any:
		n := 0
		for _, item := range v {
			n += valueSize(item)
		}
		return n
	case map[string]any:
		n := 0
		for _, item := range v {
			n += valueSize(item)
		}
		return n
	case nil:
		return 0
	}
	return len(fmt.Sprint(value))
}

// stuck is the text that a draw depends on: the same text, the same model. Without
// a key it is what is asked, so that a draw can be repeated.
func (p Policy) stuck(req llm.Request) string {
	if p.Sticky != "" {
		if value, ok := req.Vars[p.Sticky]; ok {
			return fmt.Sprint(value)
		}
	}
	if req.Sticky != "" {
		return req.Sticky
	}
	h := sha256.New()
	for _, message := range req.Messages {
		h.Write([]byte(message.Text()))
		h.Write([]byte{0})
	}
	return string(h.Sum(nil)) + strconv.Itoa(req.Repeat)
}

// draw orders models by weighted rendezvous hashing: each gets a number from 0 to 1
// out of the text and its own name, and the largest −weight/ln(number) comes first.
// A model is first with the probability of its weight's share, and a change of
// weights moves only as many texts as it must. Source: Thaler and Ravishankar,
// "Using Name-Based Mappings to Increase Hit Rates", 1998, in the weighted form of
// Resch, "New Hashing Algorithms for Data Storage", 2015.
func draw(use []string, weights []float64, text string) []string {
	type scored struct {
		alias string
		score float64
	}
	all := make([]scored, 0, len(use))
	for i, alias := range use {
		sum := sha256.Sum256([]byte(alias + "\x00" + text))
		// 53 bits and a half step, so that it is neither 0 nor 1.
		number := (float64(binary.BigEndian.Uint64(sum[:])>>11) + 0.5) / (1 << 53)
		all = append(all, scored{alias, -weights[i] / math.Log(number)})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	drawn := make([]string, len(all))
	for i, one := range all {
		drawn[i] = one.alias
	}
	return drawn
}
