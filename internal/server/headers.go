package server

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"

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
	x.server.recent.add(call.ID)
	tellPrompt(header, call.Prompt)
	if call.Answered != "" {
		header.Set(headerModel, call.Answered)
	}
	header.Set(headerAttempts, strconv.Itoa(call.Attempts()))
	header.Set(headerTurns, strconv.Itoa(len(call.Turns)))
	header.Set(headerFallback, strconv.FormatBool(x.fellBack))
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

// usd writes nano-dollars as a plain decimal of dollars.
func usd(m llm.Money) string {
	const nano = 1_000_000_000
	sign, whole := "", int64(m)
	if whole < 0 {
		sign, whole = "-", -whole
	}
	text := fmt.Sprintf("%s%d.%09d", sign, whole/nano, whole%nano)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// headerClientID echoes the name that a client gave its request: under this name, or as
// its own X-Request-Id.
const headerClientID = "X-Client-Request-Id"

// maxClientID bounds it, in bytes.
const maxClientID = 128

// clientID is the client's own name of a request; "" where it gave none, or one that no
// log should have.
func clientID(r *http.Request) string {
	id := cmp.Or(r.Header.Get(headerClientID), r.Header.Get("X-Request-Id"))
	if len(id) > maxClientID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return id
}
