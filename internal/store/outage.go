package store

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

const (
	// lookEvery is how often a serving store looks after itself.
	lookEvery = time.Second
	// hungAfter is when a write that has not ended is taken to hang: well beyond the
	// wait for a lock.
	hungAfter = 3 * time.Second
	// calmFor is how long nothing must be dropped before a flood of calls is over.
	calmFor = 5 * time.Second
)

// outage is what a serving store knows of its own trouble, and who is told of it.
type outage struct {
	name string
	now  func() time.Time
	tell func(Recording)

	dropped atomic.Int64  // calls, ever
	trying  atomic.Int64  // since when the writer is at the file, on its own clock; 0: it is not
	opened  chan struct{} // closed when the first opening has gone well or wrong

	mu     sync.Mutex
	began  chan struct{} // closed while nothing is written, so that nobody waits for it
	why    *fault.Error  // nil: all is well
	ready  bool          // it was open once
	gates  bool          // of why: nothing is written, in contrast to not everything
	since  time.Time
	before int64       // calls that were dropped before
	news   []Recording // that nobody was told yet
	seen   int64       // dropped when the watch last looked
	calm   int         // times that it was the same since

	wake chan struct{}
	stop chan struct{}
	done chan struct{} // the watch has ended
}

// processStart is what durations are measured from, as the wall clock may jump.
var processStart = time.Now()

func newOutage(name string, now func() time.Time, tell func(Recording)) *outage {
	o := &outage{
		name: name, now: now, tell: tell, began: make(chan struct{}), opened: make(chan struct{}),
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	close(o.began)
	return o
}

// isOpen reports that the file was opened once, or it is known why it was not.
func (o *outage) isOpen() bool {
	select {
	case <-o.opened:
		return true
	default:
		return false
	}
}

// err is why nothing is written now; nil where it is.
func (o *outage) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.why != nil && o.gates:
		return o.why
	case !o.isOpen():
		return fault.New(fault.Store, "the store %s is still being opened", o.name)
	}
	return nil
}

// everOpen reports that the file was open once, with all tables.
func (o *outage) everOpen() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ready
}

// begins is closed as soon as nothing can be written.
func (o *outage) begins() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.began
}

func (o *outage) recording() Recording {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.why == nil {
		return Recording{}
	}
	return Recording{Why: o.why, Since: o.since, Dropped: o.dropped.Load() - o.before}
}

// fail says that nothing can be written.
func (o *outage) fail(why error) { o.trouble(fault.As(failureOf(o.name, "write", why)), true) }

func (o *outage) trouble(why *fault.Error, gates bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.isOpen()
	if first {
		close(o.opened)
	}
	if gates && !o.gates && !first {
		close(o.began)
	}
	if o.why == nil {
		o.since, o.before = o.now(), o.dropped.Load()
	}
	news := o.why == nil || o.why.Message != why.Message
	o.why, o.gates = why, gates || o.gates
	if news {
		o.add(Recording{Why: why, Since: o.since, Dropped: o.dropped.Load() - o.before})
	}
}

// works says that something was written, or could be.
func (o *outage) works() { o.over(true) }

// over ends a trouble, if it is of this kind.
func (o *outage) over(gates bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.isOpen()
	if first {
		close(o.opened)
	}
	o.ready = o.ready || gates
	if first || gates && o.gates {
		o.began = make(chan struct{})
	}
	if o.why == nil || o.gates != gates {
		return
	}
	o.seen, o.calm = o.dropped.Load(), 0 // what was dropped meanwhile is no flood
	o.why, o.gates = nil, false
	o.add(Recording{Since: o.since, Dropped: o.dropped.Load() - o.before})
}

func (o *outage) add(news Recording) {
	if o.tell == nil {
		return
	}
	o.news = append(o.news, news)
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// watch tells the news, and finds what the writer cannot say itself: that it hangs,
// and that more is coming than it writes.
func (o *outage) watch() {
	defer close(o.done)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		stopped := false
		select {
		case <-o.wake:
		case <-look.C:
			o.look()
		case <-o.stop:
			stopped = true
		}
		o.mu.Lock()
		news := o.news
		o.news = nil
		o.mu.Unlock()
		for _, one := range news {
			o.tell(one)
		}
		if stopped {
			return
		}
	}
}

func (o *outage) look() {
	if began := o.trying.Load(); began != 0 && time.Since(processStart)-time.Duration(began) > hungAfter {
		o.trouble(fault.New(fault.Store, "cannot write the store %s: it does not answer", o.name).
			WithHint("check the disk, or the network that it is on"), true)
		return
	}
	o.mu.Lock()
	now := o.dropped.Load()
	flood := now != o.seen
	if o.calm++; flood {
		o.seen, o.calm = now, 0
	}
	down, calm := o.gates, o.calm >= int(calmFor/lookEvery)
	o.mu.Unlock()
	switch {
	case flood && !down && o.isOpen():
		o.trouble(fault.New(fault.Store, "cannot write all calls into the store %s: more come than the disk takes", o.name).
			WithHint("put it on a faster disk, or keep less: store.content in llmx.yaml"), false)
	case calm:
		o.over(false)
	}
}

// attempt marks that the writer is at the file, until the function it gives is called.
func (o *outage) attempt() (ended func()) {
	o.trying.Store(int64(time.Since(processStart)) + 1)
	return func() { o.trying.Store(0) }
}
