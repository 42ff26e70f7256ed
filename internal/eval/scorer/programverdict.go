package scorer

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// programVerdict is what a program says of an answer.
type programVerdict struct {
	value  float64
	pass   *bool // nil: the threshold decides
	reason string
}

// score lets the program's own word win over the threshold.
func (v programVerdict) score(least threshold) eval.Score {
	if v.pass != nil {
		return eval.Score{Value: v.value, Pass: *v.pass, Reason: v.reason}
	}
	if !least.reached(v.value) {
		return eval.Score{Value: v.value, Reason: below(v.value, least, v.reason)}
	}
	return eval.Score{Value: v.value, Pass: true, Reason: v.reason}
}

var verdictWords = []string{"score", "pass", "reason"}

// readVerdict reads exactly one object, {"score": 0..1, "pass": true, "reason": "…"}.
// Whatever else a program writes is a mistake of the program, and no score. What is
// printed of it goes through veil.
func readVerdict(output []byte, veil func(string) string) (programVerdict, error) {
	const hint = `a program writes one JSON object to its standard output, {"score": 0.8, "reason": "…"}, and everything else to standard error`
	text := strings.TrimSpace(string(output))
	if text == "" {
		return programVerdict{}, fault.New(fault.Unjudged, "the program wrote nothing").WithHint(hint)
	}
	value, err := parseJSON(text)
	object, is := veiledJSON(value, veil).(map[string]any)
	if err != nil || !is {
		text = veil(unescaped(text))
		return programVerdict{}, fault.New(fault.Unjudged, "the program did not write one JSON object, but %s", quote(text)).WithHint(hint)
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(verdictWords, key) {
			return programVerdict{}, fault.New(fault.Unjudged, "the program wrote the unknown key %s", quote(key)).WithHint("%s", fault.Allowed(key, verdictWords))
		}
	}
	var v programVerdict
	written, isNumber := object["score"].(json.Number)
	if v.value, err = written.Float64(); !isNumber || err != nil || v.value < 0 || v.value > 1 {
		return v, fault.New(fault.Unjudged, "the program's score is %s, and must be a number from 0 to 1", scoreOf(object)).WithHint(hint)
	}
	if given, there := object["pass"]; there {
		pass, is := given.(bool)
		if !is {
			return v, fault.New(fault.Unjudged, "the program's pass is %s, and must be true or false", show(given)).WithHint(hint)
		}
		v.pass = &pass
	}
	if given, there := object["reason"]; there && given != nil {
		reason, is := given.(string)
		if !is {
			return v, fault.New(fault.Unjudged, "the program's reason is %s, and must be a text", show(given)).WithHint(hint)
		}
		v.reason = cutTo(maxProgramReason, reason)
	}
	return v, nil
}

// veiledJSON hides secrets in all texts of a value, the names of its fields among them.
func veiledJSON(value any, veil func(string) string) any {
	switch value := value.(type) {
	case string:
		return veil(value)
	case json.Number:
		if veiled := veil(value.String()); veiled != value.String() {
			return veiled
		}
	case []any:
		for i := range value {
			value[i] = veiledJSON(value[i], veil)
		}
	case map[string]any:
		veiled := make(map[string]any, len(value))
		for key, field := range value {
			veiled[veil(key)] = veiledJSON(field, veil)
		}
		return veiled
	}
	return value
}

var escapePattern = regexp.MustCompile(`\\u[0-9A-Fa-f]{4}`)

// unescaped follows the escapes in what is no JSON, so that none hides a secret.
func unescaped(text string) string {
	return escapePattern.ReplaceAllStringFunc(text, func(escape string) string {
		code, _ := strconv.ParseUint(escape[2:], 16, 32)
		return string(rune(code))
	})
}

// maxProgramReason is how many bytes of a program's reason are kept.
const maxProgramReason = 2000

func scoreOf(object map[string]any) string {
	if score, there := object["score"]; there {
		return show(score)
	}
	return "missing"
}

// byteSize is a number of bytes, written 64KB or 512MB; K is 1024.
type byteSize int64

var byteUnits = []struct {
	name string
	size int64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

// UnmarshalNode reads a whole number with its unit.
func (b *byteSize) UnmarshalNode(n strictyaml.Node) error {
	const hint = "write a whole number with its unit: 64KB, 512MB or 1GB"
	text := n.Text()
	for _, unit := range byteUnits {
		number, is := strings.CutSuffix(text, unit.name)
		if !is || n.Kind() != strictyaml.String {
			continue
		}
		var count int64
		if len(number) > 7 || json.Unmarshal([]byte(number), &count) != nil || count < 0 {
			break
		}
		*b = byteSize(count * unit.size)
		return nil
	}
	return n.Mismatch("a size").WithHint(hint)
}

func (b byteSize) within(n strictyaml.Node, least, most byteSize, allowed string) error {
	if b < least || b > most {
		return n.Errorf("the size %s is out of range", n.Text()).WithHint("allowed: %s", allowed)
	}
	return nil
}
