package contract

import (
	"fmt"
	"maps"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// readRegex matches the whole answer, or, where it may be repaired, the one place of
// it that the pattern matches.
func (p *Parser) readRegex(answer string, output llm.Output) (Parsed, string) {
	whole, err := p.pattern(`\A(?:` + output.Pattern + `)\z`)
	if err != nil {
		return Parsed{}, fmt.Sprintf("the pattern cannot be used: %v", err)
	}
	text := strings.TrimSpace(answer)
	if at := whole.FindStringSubmatchIndex(text); at != nil {
		return asItCame(answer, groups(whole.SubexpNames(), text, at)), ""
	}
	refused := fmt.Sprintf("expected a match of %s and nothing else, got %s", output.Pattern, quote(text))
	if !repairs(output) {
		return Parsed{}, refused
	}
	anywhere, err := p.pattern(output.Pattern)
	if err != nil {
		return Parsed{}, fmt.Sprintf("the pattern cannot be used: %v", err)
	}
	inner, from := unfence(answer)
	if at := whole.FindStringSubmatchIndex(strings.TrimSpace(inner)); at != nil && from > 0 {
		var c changes
		c.add(repairFence, 0)
		return mended(answer, groups(whole.SubexpNames(), strings.TrimSpace(inner), at), strings.TrimSpace(inner), c), ""
	}
	matches := anywhere.FindAllStringSubmatchIndex(answer, 2)
	switch {
	case len(matches) == 0:
		return Parsed{}, refused
	case len(matches) > 1:
		return Parsed{}, fmt.Sprintf("ambiguous: the pattern %s matches more than once", output.Pattern)
	case matches[0][0] == matches[0][1]:
		return Parsed{}, refused // nothing was matched
	}
	at := matches[0]
	text, value := answer[at[0]:at[1]], groups(anywhere.SubexpNames(), answer, at)
	// A pattern that looks at what stands around, with ^ or \b, may find another thing
	// in what is cut out.
	alone := whole.FindStringSubmatchIndex(text)
	if alone == nil || !maps.Equal(groups(whole.SubexpNames(), text, alone), value) {
		return Parsed{}, refused
	}
	return mended(answer, value, text, proseAround(answer, at[0], at[1])), ""
}

// groups are the named groups of a match; null for one that took no part.
func groups(names []string, text string, at []int) map[string]any {
	value := map[string]any{}
	for i, name := range names {
		if name == "" {
			continue
		}
		if at[2*i] >= 0 {
			value[name] = text[at[2*i]:at[2*i+1]]
		} else if _, known := value[name]; !known {
			value[name] = nil
		}
	}
	return value
}
