package cli

import (
	"github.com/spf13/pflag"

	"github.com/llmx-dev/llmx/internal/eval/runner"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// repliesFlags say where replies come from; at most one of the modes is given.
type repliesFlags struct {
	replay, record, live, fresh, freshJudges bool
}

func (r *repliesFlags) add(flags *pflag.FlagSet) {
	r.addModes(flags)
	flags.BoolVar(&r.fresh, "fresh", false, "with --record or --live: ask for everything anew, but for what judges said")
	flags.BoolVar(&r.freshJudges, "fresh-judges", false, "with --record or --live: ask the judges anew")
}

func (r *repliesFlags) addModes(flags *pflag.FlagSet) {
	flags.BoolVar(&r.replay, "replay", false, "only recorded replies: no key, no network")
	flags.BoolVar(&r.record, "record", false, "ask for replies that are missing, and record them")
	flags.BoolVar(&r.live, "live", false, "ask the providers, through the exact cache")
}

// reuse says how far kept answers may stand in.
func (r *repliesFlags) reuse() llm.Reuse {
	if r.fresh {
		return llm.ReuseRefresh
	}
	return llm.ReuseAllowed
}

// reuseJudges likewise, of what judges said.
func (r *repliesFlags) reuseJudges() llm.Reuse {
	if r.freshJudges {
		return llm.ReuseRefresh
	}
	return llm.ReuseAllowed
}

// judging says how far what judges said may stand in.
func (r *repliesFlags) judging(mode replay.Mode) runner.Judging {
	return runner.Judging{Reuse: r.reuseJudges(), Renew: mode == replay.Record}
}

// mode picks the mode: a flag over llmx.yaml's test.replies.
func (r *repliesFlags) mode(configured string) (replay.Mode, error) {
	given := map[replay.Mode]bool{replay.Replay: r.replay, replay.Record: r.record, replay.Live: r.live}
	mode, count := replay.Mode(configured), 0
	for m, set := range given {
		if set {
			mode = m
			count++
		}
	}
	if count > 1 {
		return "", fault.New(fault.Usage, "--replay, --record and --live exclude each other").WithHint("give one of them")
	}
	for flag, given := range map[string]bool{"--fresh": r.fresh, "--fresh-judges": r.freshJudges} {
		if given && mode != replay.Record && mode != replay.Live {
			return "", fault.New(fault.Usage, "%s asks anew, and replies come from recordings here", flag).
				WithHint("say --record %[1]s to record anew, or --live %[1]s", flag)
		}
	}
	return mode, nil
}
