package budget

import (
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// account is what this process knows and holds of an account. Of the money that is
// leased to it, some is held by attempts under way, some is spent and not in the
// ledger yet, and the rest is free: lease = held + unsettled + free. Free is below 0
// where attempts have cost more than they were estimated to.
type account struct {
	Account
	budget *Budget

	state     State     // the ledger's last word; Spent is what everybody has settled
	lease     llm.Money // what this process may use; the ledger has it, or more
	said      Entry     // what the ledger has
	held      llm.Money // estimates of attempts under way
	unsettled llm.Money // spent since the last entry
	claimed   llm.Money // estimates of those who wait
	promised  llm.Money // of those who are served once the ledger has it
	alerted   bool

	// How much is leased ahead of need.
	block   llm.Money
	largest llm.Money // estimate of late
	taken   llm.Money // estimates since the last renewal
	more    bool      // the ledger had as much as was asked of it
	low     bool      // half of the block is gone, and more is asked for
	used    time.Time // when it was last seen in use
	resting bool      // that is long ago: nothing is leased ahead

	// Of a round.
	round  int       // the last one that it was part of
	room   llm.Money // what nobody holds, nor waits for any longer in the queue
	wanted llm.Money
	moved  llm.Money // of unsettled, on its way into the ledger
}

func (a *account) free() llm.Money { return a.lease - a.held - a.unsettled }

// gone is what can never be freed again.
func (a *account) gone() llm.Money { return a.state.Spent + a.state.Lost + a.unsettled }

// hold takes an estimate for an attempt; it reports whether more should be leased.
func (a *account) hold(amount llm.Money) (low bool) {
	a.held += amount
	a.taken += amount
	a.largest, a.resting = max(a.largest, amount), false
	if a.more && !a.low && a.free() < a.block/2 {
		a.low = true
		return true
	}
	return false
}

// reserve is what to lease beyond what is held. It is as much as keeps requests from
// waiting, and no more, as it counts as spent if this process is killed: a few
// times the largest estimate or a hundredth of the limit, doubled where that was too
// little. Where others wait, and at the end of the budget, there is nothing to spare.
func (a *account) reserve(starved bool) llm.Money {
	if starved {
		a.block *= 2
	}
	least := a.leastBlock()
	a.block = min(max(a.block, least), max(least, a.budget.Limit/10))
	a.low, a.more = false, false
	if a.state.Wanted > 0 || a.resting || a.room <= 0 {
		return 0
	}
	// Half of what is left, so that the last of it is not in one hand.
	spare := min(a.block, a.room/2)
	a.more = spare == a.block
	return spare
}

func (a *account) leastBlock() llm.Money {
	const aFew = 4
	return max(a.budget.Limit/100, aFew*a.largest)
}

// age is called with every renewal: what was not used lately is leased no more.
func (a *account) age(now time.Time) {
	if a.taken > 0 || a.held > 0 || a.claimed > 0 {
		a.used = now
	}
	if a.taken < a.block/4 {
		a.block /= 2
		a.largest -= a.largest / 4
	}
	a.taken = 0
	a.resting = now.Sub(a.used) >= idleFor
}

// news reports that the ledger does not have what it should.
func (a *account) news() bool {
	return a.unsettled > 0 || a.claimed > 0 || a.low || a.lease != a.said.Lease || a.said.Wanted > 0
}

// idle reports that nothing is held, and nothing has to be told.
func (a *account) idle() bool { return a.lease == 0 && a.held == 0 && a.promised == 0 && !a.news() }
