package prompt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/mitsuhiko/minijinja/minijinja-go/v2"
	"github.com/mitsuhiko/minijinja/minijinja-go/v2/value"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// This file is the only one that knows the template library.

// maxSteps bounds the work of one rendering: statements, expressions and elements
// of range() that are evaluated.
const maxSteps = 1_000_000

// Names that templates may use besides the inputs.
var (
	functionNames = []string{"range", "dict", "namespace", "cycler", "joiner"}
	filterNames   = strings.Fields("upper lower capitalize title trim replace format default d safe escape e string bool split lines " +
		"length count first last reverse sort join list unique min max sum batch slice map select reject selectattr rejectattr " +
		"groupby chain zip abs int float round items dictsort attr indent pprint tojson urlencode")
	testNames = strings.Fields("defined undefined none true false odd even divisibleby eq equalto ne lt lessthan le gt greaterthan ge in " +
		"string number integer int float boolean sequence mapping iterable startingwith endingwith containing safe escaped sameas lower upper filter test")
)

// environments gives the shared environment, which is never changed once made, and
// its twin that finds the place of a failure: looking costs time on every step, so
// a template that fails is run once more in the twin.
var environments = sync.OnceValues(func() (fast, careful *minijinja.Environment) {
	return newEnvironment(false), newEnvironment(true)
})

func newEnvironment(debug bool) *minijinja.Environment {
	env := minijinja.NewEnvironment()
	env.SetUndefinedBehavior(minijinja.UndefinedStrict)
	env.SetAutoEscapeFunc(func(string) minijinja.AutoEscape { return minijinja.AutoEscapeNone })
	env.SetFormatter(format)
	env.AddFunction("range", rangeFunction)
	env.SetRecursionLimit(100)
	env.SetDebug(debug)
	fuel := uint64(maxSteps)
	env.SetFuel(&fuel)
	return env
}

// template is one compiled template, safe for concurrent use.
type template struct {
	source  source
	literal bool // without any tag: the text as it stands
	fast    *minijinja.Template
	careful *minijinja.Template
}

func compileTemplate(src source) (*template, *fault.Error) {
	t := &template{source: src}
	if nextOpening(src.s, 0) == len(src.s) {
		t.literal = true
		return t, nil
	}
	fast, careful := environments()
	var err error
	if t.fast, err = fast.TemplateFromNamedString("prompt", src.s); err != nil {
		return nil, syntaxError(src, err)
	}
	if t.careful, err = careful.TemplateFromNamedString("prompt", src.s); err != nil {
		return nil, syntaxError(src, err)
	}
	return t, nil
}

// syntaxError finds the line and the words in the library's error, whose type it
// does not export.
func syntaxError(src source, err error) *fault.Error {
	message, line := err.Error(), 1
	if v := reflect.Indirect(reflect.ValueOf(err)); v.Kind() == reflect.Struct {
		if field := v.FieldByName("Line"); field.IsValid() && field.CanUint() {
			line = max(int(field.Uint()), 1)
		}
		if field := v.FieldByName("Detail"); field.IsValid() && field.Kind() == reflect.String {
			message = field.String()
		}
	}
	return fault.At(src.place(tagOnLine(src.s, line)), "the template does not parse: %s", message)
}

// tagOnLine is the offset of the first tag on a line, or of the line.
func tagOnLine(s string, line int) int {
	start := 0
	for range line - 1 {
		next := strings.IndexByte(s[start:], '\n')
		if next < 0 {
			break
		}
		start += next + 1
	}
	end := len(s)
	if next := strings.IndexByte(s[start:], '\n'); next >= 0 {
		end = start + next
	}
	if tag := nextOpening(s[:end], start); tag < end {
		return tag
	}
	return start
}

// values are inputs as the library wants them.
type values struct{ v value.Value }

func newValues(inputs map[string]any) values {
	converted := make(map[string]value.Value, len(inputs))
	for name, input := range inputs {
		converted[name] = toValue(input)
	}
	return values{value.FromMap(converted)}
}

// render writes to the sink.
func (t *template) render(inputs values, to *sink) error {
	if t.literal {
		_, err := to.WriteString(t.source.s)
		return t.failure(err, inputs)
	}
	err := t.fast.RenderToWriteCtx(context.WithValue(context.Background(), sinkKey{}, to), inputs.v, to)
	if err == nil {
		return nil
	}
	return t.failure(err, inputs)
}

// failure finds the place of what went wrong, by rendering again with care.
func (t *template) failure(err error, inputs values) error {
	if err == nil {
		return nil
	}
	if t.careful != nil {
		again := newSink()
		if careful := t.careful.RenderToWriteCtx(context.WithValue(context.Background(), sinkKey{}, again), inputs.v, again); careful != nil {
			err = careful
		}
	}
	place, message, hint := t.source.place(0), err.Error(), ""
	var failed *minijinja.Error
	switch {
	case errors.Is(err, errTooLarge):
		message, hint = fmt.Sprintf("the template gives more than %d MB of text", maxRendered>>20), "does a loop repeat too often?"
	case errors.As(err, &failed):
		message = failed.Message
		if failed.Span != nil {
			place = t.source.place(int(failed.Span.StartOffset))
		}
		switch failed.Kind {
		case minijinja.ErrOutOfFuel:
			message, hint = fmt.Sprintf("the template does not end: stopped after %d steps", maxSteps), "does a loop or a macro repeat without end?"
		case minijinja.ErrUndefinedVar:
			what := t.spanned(failed)
			if message = what + " is undefined"; what == "" {
				what, message = "…", "the value is undefined"
			}
			hint = fmt.Sprintf("test it first: {%% if %s is defined %%}, or give a default: {{ %s | default(\"\") }}", what, what)
		}
	}
	return fault.At(place, "%s", message).WithHint("%s", hint).Because(err)
}

// spanned is the expression that an error is about, as its author wrote it; "" where
// that is not one short name.
func (t *template) spanned(failed *minijinja.Error) string {
	if failed.Span != nil {
		start, end := int(failed.Span.StartOffset), int(failed.Span.EndOffset)
		if 0 <= start && start < end && end <= len(t.source.s) {
			text := strings.Trim(t.source.s[start:end], "{}%-+ \t\n")
			if len(text) <= 60 && text != "" && !strings.ContainsAny(text, "\n{}|") {
				return text
			}
		}
	}
	return ""
}

type sinkKey struct{}

func sinkOf(ctx context.Context) *sink {
	to, _ := ctx.Value(sinkKey{}).(*sink)
	return to
}

// format prints a value. A picture or file goes straight to the sink as a part: it
// is never text, so no text can be taken for one.
func format(state *minijinja.State, v value.Value, _ func(string) string) string {
	if object, ok := v.AsObject(); ok {
		if media, ok := object.(*mediaObject); ok {
			if to := sinkOf(state.Context()); to != nil {
				to.addPart(media.part)
			}
			return ""
		}
	}
	if f, ok := v.AsFloat(); ok && v.IsActualFloat() {
		return formatFloat(f)
	}
	return v.String()
}

// formatFloat writes a float as people do: 1234567.5 and not 1.2345675e+06.
func formatFloat(f float64) string {
	if size := math.Abs(f); size != 0 && (size >= 1e21 || size < 1e-7) || math.IsInf(f, 0) || math.IsNaN(f) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// mediaObject is an image or a file in a template. Only {{ name }} may print it,
// which loading checks.
type mediaObject struct{ part llm.Part }

// GetAttr has nothing to give.
func (m *mediaObject) GetAttr(string) value.Value { return value.Undefined() }

func toValue(input any) value.Value {
	switch input := input.(type) {
	case nil:
		return value.None()
	case string:
		return value.FromString(input)
	case bool:
		return value.FromBool(input)
	case json.Number:
		return numberValue(string(input))
	case float64:
		return value.FromFloat(input)
	case int:
		return value.FromInt(int64(input))
	case int64:
		return value.FromInt(input)
	case []any:
		list := make([]value.Value, len(input))
		for i, item := range input {
			list[i] = toValue(item)
		}
		return value.FromSlice(list)
	case map[string]any:
		object := make(map[string]value.Value, len(input))
		for key, item := range input {
			object[key] = toValue(item)
		}
		return value.FromMap(object)
	case llm.Part:
		return value.FromObject(&mediaObject{input})
	}
	return value.FromAny(input)
}

func numberValue(text string) value.Value {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value.FromInt(i)
	}
	if i, ok := new(big.Int).SetString(text, 10); ok && len(text) < 100 {
		return value.FromBigInt(i)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return value.FromFloat(f)
	}
	return value.FromString(text)
}

// rangeFunction is range() that pays for its elements.
func rangeFunction(state *minijinja.State, args []value.Value, _ map[string]value.Value) (value.Value, error) {
	bounds := []int64{0, 0, 1} // start, stop, step
	if len(args) < 1 || len(args) > 3 {
		return value.Undefined(), minijinja.NewError(minijinja.ErrInvalidOperation, "range wants 1 to 3 whole numbers")
	}
	for i, arg := range args {
		n, ok := arg.AsInt()
		if !ok {
			return value.Undefined(), minijinja.NewError(minijinja.ErrInvalidOperation, "range wants whole numbers")
		}
		if len(args) == 1 {
			i = 1
		}
		bounds[i] = n
	}
	start, stop, step := bounds[0], bounds[1], bounds[2]
	if step == 0 {
		return value.Undefined(), minijinja.NewError(minijinja.ErrInvalidOperation, "the step of range cannot be 0")
	}
	to := sinkOf(state.Context())
	var items []value.Value
	for i := start; (step > 0 && i < stop) || (step < 0 && i > stop); {
		if to == nil || !to.pay(1) {
			return value.Undefined(), minijinja.NewError(minijinja.ErrOutOfFuel, "out of fuel")
		}
		items = append(items, value.FromInt(i))
		next := i + step
		if (next > i) != (step > 0) { // past the largest integer
			break
		}
		i = next
	}
	return value.FromIterator(value.NewIterator("range", items)), nil
}
