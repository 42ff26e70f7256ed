package prompt

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// repairBlock is what llmx: says of repair.
type repairBlock struct {
	mode, coerce strictyaml.Node
}

var (
	repairModes = []string{string(llm.RepairOff), string(llm.RepairSyntax), string(llm.RepairCoerce)}
	coercions   = []string{string(llm.CoerceNumber), string(llm.CoerceBoolean), string(llm.CoerceList)}
)

// readRepair completes a contract: syntax is repaired where nothing else is said,
// and types are converted only by name. It holds for the arguments of tool calls, too.
func (l *loader) readRepair(b repairBlock, output *llm.Output, tools *llm.Tools) {
	if output.IsText() && !tools.Offered() {
		for _, n := range []strictyaml.Node{b.mode, b.coerce} {
			if n.Exists() && output.Kind != "" { // else outputs has a problem of its own
				l.problems.Add(n.Errorf("the output is text: there is nothing to repair").WithHint("remove it, or say in outputs what the answer must be"))
			}
		}
		return
	}
	output.Repair = llm.RepairSyntax
	if b.mode.Exists() {
		if b.mode.Kind() != strictyaml.String || !slices.Contains(repairModes, b.mode.Text()) {
			l.problems.Add(b.mode.Errorf("unknown repair %q", b.mode.Text()).WithHint("%s", fault.Allowed(b.mode.Text(), repairModes)))
			return
		}
		output.Repair = llm.RepairMode(b.mode.Text())
	}
	switch {
	case output.Repair == llm.RepairCoerce && !b.coerce.Exists():
		l.problems.Add(b.mode.Errorf("repair: coerce names no conversion").WithHint("name them: coerce: [%s]", strings.Join(coercions, ", ")))
	case output.Repair != llm.RepairCoerce && b.coerce.Exists():
		l.problems.Add(b.coerce.Errorf("coerce stands without repair: coerce").WithHint("write llmx: {repair: coerce, coerce: […]}"))
	case b.coerce.Exists():
		l.readCoerce(b.coerce, output)
	}
}

func (l *loader) readCoerce(n strictyaml.Node, output *llm.Output) {
	items := n.Items()
	if n.Kind() != strictyaml.List || len(items) == 0 {
		l.problems.Add(n.Mismatch("a list of conversions").WithHint("%s", fault.Allowed("", coercions)))
		return
	}
	for _, item := range items {
		name := llm.Coercion(item.Text())
		switch {
		case item.Kind() != strictyaml.String || !slices.Contains(coercions, item.Text()):
			l.problems.Add(item.Errorf("unknown conversion %q", item.Text()).WithHint("%s", fault.Allowed(item.Text(), coercions)))
		case slices.Contains(output.Coerce, name):
			l.problems.Add(item.Errorf("the conversion %q is named twice", name))
		default:
			output.Coerce = append(output.Coerce, name)
		}
	}
}
