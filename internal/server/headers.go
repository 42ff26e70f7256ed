package server

import (
	"net/http"
	"strconv"

	"github.com/llmx-dev/llmx/internal/llm"
)

// The headers that an answer carries besides OpenAI's. Of a stream they come at its end,
// as trailers, but for those that are known when it begins.
const (
	headerModel    = "X-Llmx-Model"       // the model that answered, in the provider's words
	headerPrompt   = "X-Llmx-Prompt"      // name@version
	headerHash     = "X-Llmx-Prompt-Hash" // of its content
	headerAttempts = "X-Llmx-Attempts"    // requests to providers
	headerTurns    = "X-Llmx-Turns"       // final requests: more than one where a contract was asked for again, or in a cascade
	headerFallback = "X-Llmx-Fallback"    // true where not the first model of the route answered
	headerCache    = "X-Llmx-Cache"       // hit or miss
	headerCost     = "X-Llmx-Cost-Usd"    // at the list price; "unknown"
	headerOverhead = "X-Llmx-Overhead-Us" // microseconds that were neither the provider's nor waiting for a place
)

// late are the headers that are known when an answer is whole.
var late = []string{headerModel, headerAttempts, headerTurns, headerFallback, headerCache, headerCost, headerOverhead}

// tell puts what is known of the call into the headers.
func (x *exchange) tell(header http.Header) {
	call := x.call
	if call == nil {
		return
	}
	tellPrompt(header, call.Prompt)
	if call.Answered != "" {
		header.Set(headerModel, call.Answered)
	}
	header.Set(headerAttempts, strconv.Itoa(call.Attempts()))
	header.Set(headerTurns, strconv.Itoa(len(call.Turns)))
	header.Set(headerFallback, strconv.FormatBool(fellBack(call)))
	cache := "miss"
	if call.Stored != nil {
		cache = "hit"
	}
	header.Set(headerCache, cache)
	cost := "unknown"
	if c := call.Cost(); c.Known {
		cost = usd(c.Amount)
	}
	header.Set(headerCost, cost)
	header.Set(headerOverhead, strconv.FormatInt(x.overhead().Microseconds(), 10))
}

func tellPrompt(header http.Header, ref llm.PromptRef) {
	if ref.Name != "" {
		header.Set(headerPrompt, ref.String())
		header.Set(headerHash, ref.Hash)
	}
}

// fellBack reports whether attempts of the answering turn went to more than one model.
func fellBack(call *llm.Call) bool {
	turn := call.Turn()
	if turn == nil || len(turn.Attempts) == 0 {
		return false
	}
	first := turn.Attempts[0].Model
	return turn.Attempts[len(turn.Attempts)-1].Model != first
}

// usd writes nano-dollars as a plain decimal of dollars.
func usd(m llm.Money) string {
	return strconv.FormatFloat(float64(m)/1e9, 'f', -1, 64)
}
