package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/eval/baseline"
	"github.com/llmx-dev/llmx/internal/eval/turns"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
	"github.com/llmx-dev/llmx/internal/report"
)

// dryRun finds out what a run would do. Its cases go through the engine that the
// run would have, with its recordings and its cache; where a provider would be
// asked, that is noted instead. It belongs to one goroutine.
type dryRun struct {
	*testRun
	servers  *servers
	onlooker *onlooker
	files    map[string]*replay.Recordings // by suite
	habits   map[string]*habits            // likewise
	twins    twins
	bars     map[string]error // by provider: why it is not asked for a missing reply
	found    report.Plan

	judged map[string]report.Forecast // what checks are going to ask, by judge prompt
	fate   fate                       // of the request that is under way
}

// fate is what became of a request.
type fate struct {
	asked   *ask // the first that would be asked
	missing *ask // the first for whose reply nobody may be asked
	shared  bool // an equal request is asked already
}

// ask is a request at the door of a provider.
type ask struct {
	alias   string
	request llm.Request
}

func newDryRun(run *testRun) *dryRun {
	run.plan.tallies = nil // nothing is judged, and they hold whole baselines
	return &dryRun{
		testRun: run, servers: newServers(run.project, run.jobs), onlooker: &onlooker{}, bars: map[string]error{}, habits: map[string]*habits{},
		judged: map[string]report.Forecast{},
		twins:  twins{run: run, seen: map[uint64]struct{}{}, names: map[keptAs]string{}},
		found: report.Plan{
			Version: Version(), Replies: string(run.mode), Fresh: run.options.replies.fresh, Jobs: run.jobs,
			Neutral: run.options.missing == "neutral", Command: without(run.options.command, "--dry-run", "--json"),
		},
	}
}

// without takes flags that have no value out of a command line.
func without(command string, flags ...string) string {
	words := slices.DeleteFunc(strings.Split(command, " "), func(word string) bool { return slices.Contains(flags, word) })
	return strings.Join(words, " ")
}

func (d *dryRun) execute(ctx context.Context) error {
	defer d.servers.close()
	if err := d.open(ctx); err != nil {
		return err
	}
	defer d.close()
	if err := d.checkKeys(d.servers); err != nil {
		d.found.Stops = toldOf(err)
	}
	if err := d.survey(ctx); err != nil {
		return err
	}
	met, err := d.budgets(ctx)
	if err != nil {
		return err
	}
	d.found.Ends, d.found.Barred, d.found.Warnings = met, d.barred(), d.warnings()
	if d.options.json {
		return report.PlanJSON(d.project.world.Stdout, d.found)
	}
	return report.PlanPage(d.project.world.Stdout, d.found, d.project.world.outputStyle())
}

// open opens what the run would read: recordings, the store's cache and its budgets.
func (d *dryRun) open(ctx context.Context) error {
	files, err := d.openRecordings()
	if err != nil {
		return err
	}
	d.files = files
	if d.mode == replay.Live { // such a run goes without them: here they say what answers are like
		for _, one := range d.plan.suites {
			if d.files[one.Name] != nil {
				continue
			}
			if file, err := d.project.openRecordings(one.Name); err == nil {
				d.files[one.Name] = file
			}
		}
	}
	if _, err := os.Stat(d.project.storePath()); errors.Is(err, fs.ErrNotExist) || d.mode != replay.Live && len(d.project.config.Budgets) == 0 {
		return nil
	}
	kept, err := d.project.openStore(ctx, looks)
	if err != nil {
		d.run.Warnings = append(d.run.Warnings, "the store cannot be looked into, so nothing counts as cached, and budgets as not spent: "+fault.As(err).Message)
		return nil
	}
	d.onlooker.store = kept
	return nil
}

// close lets go of what was read.
func (d *dryRun) close() {
	_ = closeAll(d.files)
	if d.onlooker.store != nil {
		_ = d.onlooker.store.Close()
	}
}

// surveyCase asks once for a case, and for a conversation once a turn: it goes on from
// the replies that are there, and where there is none from one that would let it.
func (d *dryRun) surveyCase(c *eval.Case, ask func(*eval.Case) (llm.Response, error)) error {
	if len(c.Turns) == 0 {
		_, err := ask(c)
		return err
	}
	talk := turns.Begin(c)
	for {
		at, _, more := talk.Next()
		if !more {
			return nil
		}
		response, err := ask(&at)
		switch {
		case err != nil:
			return err
		case d.fate != fate{}:
			talk.Reply(talk.Assumed())
		case response.Call == nil || response.Call.Failure != nil:
			return nil // what was refused ends it in the run, too
		default:
			talk.Reply(response.Call.Answer, response.ToolCalls)
		}
	}
}

// count says what became of a request.
func (d *dryRun) count(g *report.PlanGroup, priced *appraiser, c *eval.Case, call *llm.Call, failure error) error {
	switch class := fault.ClassOf(failure); {
	case d.fate.asked != nil:
		return priced.add(&priced.asked, c, *d.fate.asked)
	case d.fate.shared:
		g.Shared++
	case failure != nil && class == fault.Missing && d.fate.missing != nil:
		g.Missing++
		return priced.add(&priced.wanted, c, *d.fate.missing)
	case failure != nil && !class.CountsAsFail():
		return failure
	case call != nil && call.Stored != nil && call.Stored.By == "cache":
		g.Cached++
	default:
		g.Recorded++
	}
	return nil
}

// warnings are those that the run would begin with.
func (d *dryRun) warnings() []string {
	list := d.run.Warnings
	compares := func(one *loaded) bool {
		_, err := fs.Stat(d.project.fs, baseline.Path(one.File))
		return err == nil
	}
	if d.options.confirm > 0 && (d.plan.past != nil || slices.ContainsFunc(d.plan.suites, compares)) {
		list = append(list, fmt.Sprintf("what flips is asked %d times anew in both arms, which is not in the plan: --confirm 0 leaves it", d.options.confirm))
	}
	for _, one := range d.plan.suites {
		for _, warning := range one.prompt.Warnings {
			list = append(list, warning.Error())
		}
	}
	return list
}
