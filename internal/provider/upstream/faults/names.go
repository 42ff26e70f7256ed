package faults

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// scenario makes a behaviour of the argument in a model's name, or of its default.
type scenario struct {
	otherwise string // the argument where there is none; "" takes none
	make      func(argument) Behaviour
}

// argument is a part of a model's name: a duration ("20s"), a share ("5%", "2/3") or
// a count ("3").
type argument struct {
	duration time.Duration
	share    float64
	count    int
}

func plain(b Behaviour) scenario {
	return scenario{"", func(argument) Behaviour { return b }}
}

func takes(otherwise string, make func(time.Duration) Behaviour) scenario {
	return scenario{otherwise, func(a argument) Behaviour { return make(a.duration) }}
}

func asks(status int, how asking) scenario {
	return takes("2s", func(d time.Duration) Behaviour { return retryAfter(status, d, how) })
}

// scenarios are the names; Named says what may stand around them.
var scenarios = map[string]scenario{
	"ok":       plain(OK()),
	"late":     takes("1s", func(d time.Duration) Behaviour { return After(d, OK()) }),
	"paced":    takes("100ms", Paced),
	"limits":   takes("1m", Limits),
	"reasons":  plain(Reasons()),
	"no-usage": plain(NoUsage()),
	"empty":    plain(Empty()),
	"tools":    plain(ToolCalls(false)), "tools-repeated": plain(ToolCalls(true)), "tools-stray": plain(StrayToolCall()), "tools-cut": plain(CutToolCalls()),
	"length": plain(Finishes("length")), "filter-finish": plain(Finishes("content_filter")),

	"400": plain(Refuse(400)), "401": plain(Refuse(401)), "402": plain(Refuse(402)), "403": plain(Refuse(403)),
	"404": plain(Refuse(404)), "408": plain(Refuse(408)), "413": plain(Refuse(413)), "429": plain(Refuse(429)),
	"500": plain(Refuse(500)), "502": plain(Refuse(502)), "503": plain(Refuse(503)), "504": plain(Refuse(504)), "529": plain(Refuse(529)),
	"429-after": asks(429, inSeconds), "429-after-ms": asks(429, inMillis), "429-after-date": asks(429, asDate), "429-reset": asks(429, asReset),
	"503-after": asks(503, inSeconds),
	"quota":     plain(Quota()), "context": plain(TooLong()), "filter": plain(Filtered()), "refuses": plain(Refuse(400)),
	"redirect": {"307", func(a argument) Behaviour { return Redirect(a.count) }},

	"reset": plain(Reset()), "close": plain(Close()), "dead": plain(Reset()), "silent": plain(Silent()), "not-http": plain(NotHTTP()),
	"slow-headers":     takes("20s", SlowHeaders),
	"slow-first-token": takes("20s", SlowFirstToken),
	"cut":              {"2/3", func(a argument) Behaviour { return Cut(a.share, false) }},
	"cut-reset":        {"2/3", func(a argument) Behaviour { return Cut(a.share, true) }},
	"stall":            {"3", func(a argument) Behaviour { return Stall(a.count) }},
	"noise":            plain(Noise()),
	"broken":           plain(Broken()),
	"error-midway":     plain(FailsMidway()),
	"no-marker":        plain(NoMarker()),
	"no-end":           plain(NoEnd()),
	"comments":         takes("5s", Comments),

	"html": plain(HTML()), "gzip": plain(GzipGarbage()),
	"endless": plain(Endless(1<<30, false)), "endless-line": plain(Endless(1<<30, true)),
	"drip": takes("1s", Drip),

	"down":   takes("1m", func(d time.Duration) Behaviour { return Until(d, Refuse(503), OK()) }),
	"flap":   {"3", func(a argument) Behaviour { return Every(a.count, Refuse(503), OK()) }},
	"flaps":  takes("10s", func(d time.Duration) Behaviour { return Flaps(d, d, Refuse(503), OK()) }),
	"random": {"5%", func(a argument) Behaviour { return Random(1, a.share, OK(), Kinds(20*time.Second)...) }},
}

// Names are the scenarios that a model's name can choose, sorted, each with its
// argument where it takes one: "slow-first-token-20s".
func Names() []string {
	var names []string
	for name, s := range scenarios {
		if s.otherwise != "" {
			name += "-" + s.otherwise
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Named makes the behaviour that a model's name says: a scenario, its argument if
// it takes one and should have another than the default, and how often ("-once" or
// "-twice", then ok; "-always" is the default). What follows an "@" tells models of
// one scenario apart: "503-once", "429-after-2s-once", "ok@large".
func Named(model string) (Behaviour, error) {
	name, _, _ := strings.Cut(model, "@")
	name, times := cutTimes(name)
	chosen, rest := "", ""
	for known := range scenarios {
		after, ok := strings.CutPrefix(name, known)
		if ok && (after == "" || after[0] == '-') && len(known) > len(chosen) {
			chosen, rest = known, strings.TrimPrefix(after, "-")
		}
	}
	s, ok := scenarios[chosen]
	if !ok || rest != "" && s.otherwise == "" {
		return nil, fault.New(fault.Usage, "no scenario is called %q", model).WithHint("%s", fault.Allowed(name, Names()))
	}
	if rest == "" {
		rest = s.otherwise
	}
	a, kind := parseArgument(rest)
	if _, want := parseArgument(s.otherwise); kind != want {
		return nil, fault.New(fault.Usage, "scenario %q takes a %s, got %q", chosen, want, rest).WithHint("for example %s-%s", chosen, s.otherwise)
	}
	b := s.make(a)
	if times == 0 {
		return b, nil
	}
	return Then(append(slices.Repeat([]Behaviour{b}, times), OK())...), nil
}

// cutTimes cuts off how often the scenario is played; 0 is for ever.
func cutTimes(name string) (string, int) {
	for suffix, times := range map[string]int{"-once": 1, "-twice": 2, "-always": 0} {
		if rest, ok := strings.CutSuffix(name, suffix); ok {
			return rest, times
		}
	}
	return name, 0
}

// parseArgument reads an argument; kind says what it is.
func parseArgument(text string) (a argument, kind string) {
	if text == "" {
		return a, ""
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return argument{count: n}, "count"
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return argument{duration: d}, "duration"
	}
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		if f, err := strconv.ParseFloat(percent, 64); err == nil && f >= 0 && f <= 100 {
			return argument{share: f / 100}, "share"
		}
	}
	over, under, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(over)
	of, err2 := strconv.Atoi(under)
	if ok && err == nil && err2 == nil && n >= 0 && n <= of && of > 0 {
		return argument{share: float64(n) / float64(of)}, "share"
	}
	return a, "nothing known"
}
