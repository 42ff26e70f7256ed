package route

import "github.com/llmx-dev/llmx/internal/fault"

// after says what a turn does after a failure of a class: whether the same model
// is asked again, and which other one may be.
type after struct {
	again bool
	next  next
}

type next int

const (
	nextNone   next = iota // the failure is passed on
	nextAny                // the next model in the order
	nextLarger             // the next model with a larger context
)

// afterwards is the table of the failure classes. What is not in it ends the turn:
// a bad request, a refused key and an unknown model are the caller's to mend, a
// filtered answer is passed on with its reason, and the end of the time, the
// budget or the caller ends everything.
var afterwards = map[fault.Class]after{
	fault.RateLimited:       {true, nextAny},
	fault.Overloaded:        {true, nextAny},
	fault.ServerError:       {true, nextAny},
	fault.Network:           {true, nextAny},
	fault.Malformed:         {true, nextAny},
	fault.Cut:               {true, nextAny},
	fault.TimeoutConnect:    {false, nextAny}, // who is silent is not asked twice
	fault.TimeoutFirstToken: {false, nextAny},
	fault.TimeoutIdle:       {false, nextAny},
	fault.QuotaExhausted:    {false, nextAny},
	fault.Missing:           {false, nextAny}, // another model's reply may be recorded
	fault.ContextLength:     {false, nextLarger},
}

// ofBudget reports a reply that is not recorded and that no budget allows to be asked
// for. A budget stops the turn, whatever stands between it and the route.
func ofBudget(e *fault.Error) bool {
	return e.Class == fault.Missing && e.Err != nil && fault.ClassOf(e.Err) == fault.Budget
}

// ofHealth are the failures that say that a model is not well. A caller who left,
// a call that ran out of its own time, and what the caller did wrong say nothing.
var ofHealth = map[fault.Class]bool{
	fault.RateLimited: true, fault.Overloaded: true, fault.ServerError: true, fault.Network: true,
	fault.Malformed: true, fault.Cut: true, fault.QuotaExhausted: true,
	fault.TimeoutConnect: true, fault.TimeoutFirstToken: true, fault.TimeoutIdle: true,
}
