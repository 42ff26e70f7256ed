package budget

import (
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// Ledger keeps the accounts of all processes that share it.
type Ledger interface {
	// Change reads accounts and writes what decide makes of them, in one step
	// that nobody comes between. It gives decide one State an account, and takes one
	// Entry an account. decide is called at most once, and must not wait. Where
	// Change returns an error, nothing is written.
	Change(owner string, accounts []Account, decide func([]State) []Entry) error
}

// State is an account as the ledger has it, without what its reader holds.
type State struct {
	Spent  llm.Money // settled by all
	Leased llm.Money // held by others that live
	Lost   llm.Money // held by others that have ended without settling: it counts as spent
	Wanted llm.Money // what others that live wait for
}

// Entry is what a process has to say of an account.
type Entry struct {
	Spent  llm.Money // spent since its last entry; never negative
	Lease  llm.Money // held from now on
	Wanted llm.Money // waited for
}

// AliveFor is how long after its last entry a process is taken to live. It makes
// one every renewEvery as long as it holds anything.
const AliveFor = 10 * time.Second

// Balance is an account as people see it.
type Balance struct {
	Account Account
	State
}
