package cli

import (
	"github.com/spf13/pflag"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/replay"
)

// repliesFlags say where replies come from; at most one of the modes is given.
type repliesFlags struct {
	replay, record, live, fresh bool
}

func (r *repliesFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&r.replay, "replay", false, "only recorded replies: no key, no network")
	flags.BoolVar(&r.record, "record", false, "ask for replies that are missing, and record them")
	flags.BoolVar(&r.live, "live", false, "ask the providers, through the exact cache")
	flags.BoolVar(&r.fresh, "fresh", false, "with --record or --live: ask for everything anew")
}

// reuse says how far kept answers may stand in.
func (r *repliesFlags) reuse() llm.Reuse {
	if r.fresh {
		return llm.ReuseRefresh
	}
	return llm.ReuseAllowed
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
	if r.fresh && mode != replay.Record && mode != replay.Live {
		return "", fault.New(fault.Usage, "--fresh asks anew, and replies come from recordings here").
			WithHint("say --record --fresh to record anew, or --live --fresh")
	}
	return mode, nil
}
