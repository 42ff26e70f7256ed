package fault

// Class says what kind of failure happened. It decides the exit code, the HTTP
// status, what the engine does next, and whether a result counts against the
// prompt (a fail) or against nobody (an error).
type Class string

// Failures of the person at the keyboard or of their files.
const (
	Usage    Class = "usage"    // wrong flags or arguments
	Invalid  Class = "invalid"  // a file that cannot be used
	Drifted  Class = "drifted"  // a release that differs from the lock
	Empty    Class = "empty"    // a suite or selection without a case
	Internal Class = "internal" // a bug of ours
)

// Failures that keep a verdict from being reached.
const (
	Missing  Class = "missing_reply"   // no recording, and asking is not allowed
	NoMatch  Class = "no_match"        // a filter that selects nothing
	Store    Class = "store"           // the store is locked, read-only, corrupt, newer or full
	Canceled Class = "canceled"        // the caller went away
	Gate     Class = "gate"            // judged, and a gate fails
	Unjudged Class = "could_not_judge" // cases without a verdict
	Judge    Class = "judge"           // a model that was asked to judge gave no usable verdict
)

// Failures of a provider, told from status, vendor code and transport.
const (
	RateLimited       Class = "rate_limited"
	Overloaded        Class = "overloaded"
	ServerError       Class = "server_error"
	Network           Class = "network"
	Malformed         Class = "malformed" // the HTTP body is not what the wire promises
	TimeoutConnect    Class = "timeout_connect"
	TimeoutFirstToken Class = "timeout_first_token"
	TimeoutIdle       Class = "timeout_idle"
	TimeoutTotal      Class = "timeout_total"
	Budget            Class = "budget"
	BreakerOpen       Class = "breaker_open"
	Auth              Class = "auth"
	NotFound          Class = "not_found"
	BadRequest        Class = "bad_request"
	QuotaExhausted    Class = "quota_exhausted"
	Cut               Class = "cut" // the stream ended without its end
)

// Failures that are the model's doing: they count against the prompt.
const (
	ContextLength Class = "context_length"
	ContentFilter Class = "content_filter"
	Length        Class = "length"   // stopped at the token limit
	Contract      Class = "contract" // the answer breaks the output contract
)

// CountsAsFail reports whether a failure of this class is the model's doing.
// Everything else is an error: never a pass, never a fail, never in an average.
func (c Class) CountsAsFail() bool {
	switch c {
	case ContextLength, ContentFilter, Length, Contract:
		return true
	}
	return false
}

// Exit codes of every command.
const (
	ExitOK          = 0
	ExitGate        = 1
	ExitUsage       = 2
	ExitInvalid     = 3
	ExitUnjudged    = 4
	ExitInterrupted = 130
)

var exitCodes = map[Class]int{
	Gate:     ExitGate,
	Usage:    ExitUsage,
	Invalid:  ExitInvalid,
	Drifted:  ExitInvalid,
	Empty:    ExitInvalid,
	Canceled: ExitInterrupted,
}

// ExitCode maps a class to the exit code of the process. A class that is not in
// the table kept us from judging.
func (c Class) ExitCode() int {
	if code, ok := exitCodes[c]; ok {
		return code
	}
	return ExitUnjudged
}
