package contract

import (
	"fmt"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// readCode reads the one fenced block of an answer that is in the language.
func readCode(answer string, output llm.Output) (Parsed, string) {
	want := "one fenced block of code"
	if output.Language != "" {
		want = fmt.Sprintf("one fenced block of %s", output.Language)
	}
	blocks := fences(answer)
	var fitting []fence
	for _, one := range blocks {
		if !one.closed {
			return Parsed{}, "the answer is cut: a fenced block is never closed"
		}
		if speaks(one.info, output.Language) {
			fitting = append(fitting, one)
		}
	}
	var c changes
	if len(fitting) == 0 && len(blocks) == 1 && blocks[0].info == "" && repairs(output) {
		fitting = blocks
		c.add(repairLanguage, blocks[0].from)
	}
	switch {
	case len(fitting) == 0:
		return Parsed{}, fmt.Sprintf("expected %s, got none in %s", want, quote(strings.TrimSpace(answer)))
	case len(fitting) > 1:
		return Parsed{}, fmt.Sprintf("ambiguous: expected %s, got %d", want, len(fitting))
	case strings.TrimSpace(fitting[0].body) == "":
		return Parsed{}, fmt.Sprintf("expected %s, got an empty one", want)
	}
	block := fitting[0]
	c.takeAll(proseAround(answer, block.from, block.to))
	if len(blocks) > 1 {
		c.add(repairSeveral, block.from)
	}
	if len(c) == 0 {
		return asItCame(answer, block.body), ""
	}
	if !repairs(output) {
		return Parsed{}, fmt.Sprintf("expected %s and nothing else, got %s", want, quote(strings.TrimSpace(answer)))
	}
	return mended(answer, block.body, fenced(block.body, output.Language), c), ""
}

// fence is a fenced block of Markdown.
type fence struct {
	info     string // behind the opening marks
	body     string // the lines between, without line ends behind the last
	start    int    // of the body
	from, to int    // of the whole
	closed   bool
}

// fences reads the fenced blocks of a text as CommonMark has them (§4.5): three or
// more backticks or tildes, at most three spaces in, up to a line of at least as many.
func fences(text string) []fence {
	var blocks []fence
	var open *fence
	marks := ""
	for at := 0; at < len(text); {
		end := len(text)
		if line := strings.IndexByte(text[at:], '\n'); line >= 0 {
			end = at + line + 1
		}
		line := strings.TrimRight(text[at:end], " \t\r\n")
		found, rest := fenceMarks(line)
		switch {
		case open == nil && found != "" && !(found[0] == '`' && strings.Contains(rest, "`")):
			blocks = append(blocks, fence{info: strings.TrimSpace(rest), from: at, start: end, to: len(text)})
			open, marks = &blocks[len(blocks)-1], found
		case open != nil && rest == "" && found != "" && found[0] == marks[0] && len(found) >= len(marks):
			open.body = strings.TrimRight(text[open.start:at], "\r\n")
			open.to, open.closed = at+len(line), true
			open = nil
		}
		at = end
	}
	return blocks
}

func fenceMarks(line string) (marks, rest string) {
	inner := strings.TrimLeft(line, " ")
	if len(line)-len(inner) > 3 || inner == "" || inner[0] != '`' && inner[0] != '~' {
		return "", line
	}
	rest = strings.TrimLeft(inner, inner[:1])
	marks = inner[:len(inner)-len(rest)]
	if len(marks) < 3 {
		return "", line
	}
	return marks, rest
}

// unfence takes the fence from a text that is one block and nothing else; any other
// text stays. from is where what is left begins.
func unfence(text string) (inner string, from int) {
	blocks := fences(text)
	if len(blocks) == 1 && blocks[0].closed && len(proseAround(text, blocks[0].from, blocks[0].to)) == 0 {
		return blocks[0].body, blocks[0].start
	}
	return text, 0
}

// proseAround finds text before and behind from..to.
func proseAround(text string, from, to int) changes {
	var c changes
	if before := strings.TrimSpace(text[:from]); before != "" {
		c.add(repairProse, strings.Index(text, before))
	} else if after := strings.TrimSpace(text[to:]); after != "" {
		c.add(repairProse, to+strings.Index(text[to:], after))
	}
	return c
}

// fenced writes code as a block that nothing in it closes.
func fenced(code, language string) string {
	longest, run := 2, 0
	for _, c := range []byte(code) {
		if run++; c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	marks := strings.Repeat("`", longest+1)
	return marks + language + "\n" + code + "\n" + marks
}

// aliases are other names that blocks give their language.
var aliases = map[string]string{
	"py": "python", "python3": "python", "js": "javascript", "ts": "typescript", "golang": "go", "sh": "bash", "shell": "bash",
	"yml": "yaml", "c++": "cpp", "cs": "csharp", "c#": "csharp", "rb": "ruby", "rs": "rust", "kt": "kotlin", "md": "markdown",
}

// speaks reports whether a block's first word names the language, or an alias of it.
func speaks(info, language string) bool {
	if language == "" {
		return true
	}
	word, _, _ := strings.Cut(strings.TrimSpace(info), " ")
	return canonical(word) == canonical(language)
}

func canonical(language string) string {
	language = strings.ToLower(language)
	if name := aliases[language]; name != "" {
		return name
	}
	return language
}
