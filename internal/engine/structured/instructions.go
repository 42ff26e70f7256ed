package structured

import (
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/llm"
)

// described reports a contract that can be told: text asks for nothing, and a vector
// is no text.
func described(output llm.Output) bool {
	return !output.IsText() && output.Kind != llm.OutputEmbedding
}

// Instructions say in words what the parser of package contract takes of an answer
// without a repair; "" for a contract that asks for nothing.
func Instructions(output llm.Output) string {
	switch output.Kind {
	case llm.OutputJSON:
		return ofSchema(string(output.Schema))
	case llm.OutputNumber:
		return "Answer with one number and nothing else: digits, with a decimal point where it needs one; no separators between thousands, no unit."
	case llm.OutputBoolean:
		return "Answer with true or false, in small letters, and nothing else."
	case llm.OutputLabel:
		return "Answer with one of these labels, letter by letter as it stands here, and nothing else:\n" + strings.Join(output.Enum, "\n")
	case llm.OutputList:
		return ofList(output.Items)
	case llm.OutputCode:
		return ofCode(output.Language)
	case llm.OutputRegex:
		return "Answer with a text that this regular expression (in the syntax of Go) matches from its first character to its last, and with nothing else:\n" + output.Pattern
	}
	return ""
}

func ofSchema(schema string) string {
	const only = "Answer with one JSON value and nothing else: no words around it, no code fence."
	if schema == "" || schema == "{}" || schema == "true" {
		return only
	}
	return only + " It must be valid under this JSON Schema:\n" + schema
}

func ofList(items string) string {
	switch items {
	case "":
		return "Answer with one JSON array and nothing else: no words around it, no code fence."
	case "string":
		return `Answer with a list of texts and nothing else: a JSON array of strings; or one item a line, where every line begins with "- ".`
	}
	return `Answer with a list of ` + items + `s and nothing else: a JSON array of ` + items + `s; or one item a line, where every line begins with "- ".`
}

func ofCode(language string) string {
	if language == "" {
		return "Answer with one fenced block of code and nothing else: a line of three backticks, the code, and a line of three backticks."
	}
	return "Answer with one fenced block of " + language + " and nothing else: the line ```" + language + ", the code, and the line ```."
}

// withInstructions puts a text at the end of the last system message; where there is
// none, into one in front. The messages that are given stay as they are.
func withInstructions(messages []llm.Message, text string) []llm.Message {
	last := -1
	for i := range messages {
		if messages[i].Role == llm.System {
			last = i
		}
	}
	if last < 0 {
		return append([]llm.Message{llm.Text(llm.System, text)}, messages...)
	}
	all := slices.Clone(messages)
	parts := slices.Clone(all[last].Parts)
	if n := len(parts) - 1; n >= 0 && parts[n].Kind == llm.PartText {
		parts[n].Text += "\n\n" + text
	} else {
		parts = append(parts, llm.Part{Kind: llm.PartText, Text: text})
	}
	all[last].Parts = parts
	return all
}
