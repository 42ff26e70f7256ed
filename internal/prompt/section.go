package prompt

import (
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// section is one message of the source, or the place of a thread.
type section struct {
	role   llm.Role
	thread string // the input whose messages stand here; then there is no text
	text   source // trimmed and unescaped
	place  fault.Place
}

// sectioner cuts a flattened body into sections.
type sectioner struct {
	file     string
	body     source
	tokens   []token
	headers  []headerLine
	threads  []threadLine
	inputs   []Input
	problems *fault.List
	warnings *fault.List
}

// threadLine is a line that is nothing but {{ name }}, name being a thread.
type threadLine struct {
	name       string
	start, end int
}

// sections cuts the body, and reports what cannot be cut.
func (c *sectioner) sections() []section {
	tokens, bad := scan(c.body.s)
	if bad != nil {
		c.problems.Add(fault.At(c.body.place(bad.at), "%s", bad.message))
		return nil
	}
	c.tokens = tokens
	before := len(*c.problems)
	c.problems.Add(checkBlocks(c.body, tokens))
	c.headers = headerLines(c.body.s, tokens)
	c.findThreads()
	c.checkHeaders()
	c.warnNearHeaders()
	if len(*c.problems) > before {
		return nil
	}
	return c.cut()
}

// checkHeaders refuses a header within a block, and a line that only became a
// header, because an include stands in it.
func (c *sectioner) checkHeaders() {
	depths := depthsAt(c.tokens)
	for _, h := range c.headers {
		place := c.body.place(h.start)
		if !c.body.whole(h.start, h.end-1) || place.File != c.file {
			c.problems.Add(fault.At(place, "an include makes this line the role header %q", string(h.role)+":").
				WithHint("write the header out, or \\%s: for a line that is text", h.role))
			continue
		}
		if open := depths(h.start); open != nil {
			c.problems.Add(fault.At(place, "the role header %q stands within {%% %s %%} of line %d", string(h.role)+":", open.words[0].text, c.body.place(open.start).Line).
				WithHint("a block ends in the section where it begins; write \\%s: for a line that is text", h.role))
		}
	}
}

func (c *sectioner) warnNearHeaders() {
	eachTextLine(c.body.s, c.tokens, func(start, end int) {
		line := c.body.s[start:end]
		if _, exact := headerRole(line); exact {
			return
		}
		if role, near := nearHeader(line); near {
			c.warnings.Add(fault.At(c.body.place(start), "the line %q is text, not a role header", strings.TrimSpace(line)).
				WithHint("a role header is written %s: at the start of its line", role))
		}
	})
}

// findThreads finds the lines that stand for conversations.
func (c *sectioner) findThreads() {
	depths := depthsAt(c.tokens)
	s := c.body.s
	for _, t := range c.tokens {
		if t.kind != tokenPrint || len(t.words) != 1 || t.words[0].kind != wordName || !c.isThread(t.words[0].text) {
			continue
		}
		start := strings.LastIndexByte(s[:t.start], '\n') + 1
		end := len(s)
		if next := strings.IndexByte(s[t.end:], '\n'); next >= 0 {
			end = t.end + next
		}
		name, place := t.words[0].text, c.body.place(t.start)
		switch {
		case depths(t.start) != nil || strings.TrimSpace(s[start:t.start])+strings.TrimSpace(s[t.end:end]) != "":
			c.problems.Add(fault.At(place, "the thread %q can only stand alone on its line, outside any block", name).
				WithHint("to write it as text, loop over it: {%% for message in %s %%}", name))
		case place.File != c.file:
			c.problems.Add(fault.At(place, "the thread %q stands in an include", name).WithHint("a thread stands in the prompt's own file"))
		default:
			c.threads = append(c.threads, threadLine{name, start, min(end+1, len(s))})
		}
	}
}

func (c *sectioner) isThread(name string) bool {
	input := findInput(c.inputs, name)
	return input != nil && input.Kind == KindThread
}

// cut walks over headers and threads in their order.
func (c *sectioner) cut() []section {
	var sections []section
	s := c.body.s
	pos, open := 0, -1 // open: index of the section that takes the text
	take := func(end int) {
		text := c.body.slice(pos, end).trimLines()
		switch {
		case open >= 0:
			sections[open].text = unescapeHeaders(text)
			if text.s == "" {
				c.problems.Add(fault.At(sections[open].place, "the section %q is empty", string(sections[open].role)+":"))
			}
		case text.s != "" && len(sections) == 0:
			c.problems.Add(fault.At(text.place(firstSolid(text.s)), "text before the first role header").
				WithHint("begin with a line system: or user:"))
		case text.s != "":
			c.problems.Add(fault.At(text.place(firstSolid(text.s)), "text behind the thread %q", sections[len(sections)-1].thread).
				WithHint("after a thread a new role header must come"))
		}
		open = -1
	}
	headers, threads := c.headers, c.threads
	for len(headers)+len(threads) > 0 {
		if len(threads) == 0 || len(headers) > 0 && headers[0].start < threads[0].start {
			take(headers[0].start)
			open, pos = len(sections), headers[0].end
			sections = append(sections, section{role: headers[0].role, place: c.body.place(headers[0].start)})
			headers = headers[1:]
			continue
		}
		take(threads[0].start)
		pos = threads[0].end
		sections = append(sections, section{thread: threads[0].name, place: c.body.place(threads[0].start)})
		threads = threads[1:]
	}
	take(len(s))
	if len(sections) == 0 && len(*c.problems) == 0 {
		c.problems.Add(fault.At(c.body.place(0), "the prompt has no message").WithHint("begin with a line system: or user:"))
	}
	return sections
}

func firstSolid(s string) int { return len(s) - len(strings.TrimLeft(s, jinjaSpace)) }
