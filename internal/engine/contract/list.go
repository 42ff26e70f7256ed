package contract

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
)

// readList reads a JSON array, or lines with bullets or numbers. Where an answer has
// both, nothing says which is the list.
func (p *Parser) readList(answer string, output llm.Output) (Parsed, string) {
	asJSON := output
	asJSON.Schema = output.ValueSchema()
	if output.Items == "" {
		return p.readJSON(answer, asJSON)
	}
	if _, err := jsonschema.Decode([]byte(strings.TrimSpace(answer))); err == nil {
		return p.readJSON(answer, asJSON)
	}
	text, c := answer, changes(nil)
	if inner, from := unfence(answer); from > 0 && repairs(output) {
		text = inner
		c.add(repairFence, 0)
	}
	lines, blocks, broken := bullets(text, output.Items)
	if blocks == 0 {
		return p.readJSON(answer, asJSON)
	}
	if broken != "" {
		return Parsed{}, broken
	}
	c.takeAll(proseAround(text, lines.from, lines.to))
	if len(c) == 0 {
		return asItCame(answer, lines.items), ""
	}
	if !repairs(output) {
		return Parsed{}, fmt.Sprintf("expected a list and nothing else, got %s", quote(strings.TrimSpace(answer)))
	}
	if values, broken := find(text); broken != "" || len(values) > 0 {
		return Parsed{}, "ambiguous: lines with bullets beside brackets"
	}
	return mended(answer, lines.items, written(lines.items), c), ""
}

// bulletLines are lines of one list.
type bulletLines struct {
	items    []any
	from, to int
}

var bullet = regexp.MustCompile(`^(?:([-*+•])|([0-9]{1,6})([.)]))[ \t]+(\S.*)$`)

// bullets reads the one block of lines with bullets or numbers; between them stand
// blank lines at most, and behind them a blank line before anything else, which would be
// the last item's. blocks is 0 where no line has a bullet.
func bullets(text, items string) (lines bulletLines, blocks int, broken string) {
	mark, last, blank := "", 0, true
	inside := false
	for at := 0; at < len(text); {
		end := len(text)
		if line := strings.IndexByte(text[at:], '\n'); line >= 0 {
			end = at + line + 1
		}
		raw := strings.TrimRight(text[at:end], " \t\r\n")
		parts := bullet.FindStringSubmatch(raw)
		switch {
		case raw == "":
			blank = true
		case parts == nil:
			if inside && (!blank || raw[0] == ' ' || raw[0] == '\t') {
				return lines, blocks, fmt.Sprintf("the list goes on in a line without a bullet: %s", quote(raw))
			}
			inside, blank = false, false
		default:
			if !inside {
				blocks++
				inside, mark, last = true, parts[1]+parts[3], 0
				lines.from = at
			}
			if blocks > 1 {
				return lines, blocks, "ambiguous: more than one list"
			}
			last++
			if parts[1]+parts[3] != mark || parts[2] != "" && parts[2] != strconv.Itoa(last) {
				return lines, blocks, fmt.Sprintf("the bullets of the list differ at %s", quote(raw))
			}
			if leftOut.MatchString(parts[4]) {
				return lines, blocks, fmt.Sprintf("something is left out of the list at %s", quote(raw))
			}
			item, ok := listItem(parts[4], items)
			if !ok {
				return lines, blocks, fmt.Sprintf("expected a number as item %d, got %s", last, quote(parts[4]))
			}
			lines.items, lines.to, blank = append(lines.items, item), at+len(raw), false
		}
		at = end
	}
	return lines, blocks, ""
}

func listItem(text, items string) (any, bool) {
	if items != "number" {
		return text, true
	}
	if !number.MatchString(text) {
		return nil, false
	}
	return json.Number(strings.TrimPrefix(text, "+")), true
}
