package replay

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/llm"
)

// line writes the recording as one line with its end.
func (r Recording) line() []byte {
	b := make([]byte, 0, 512+len(r.Text))
	b = append(b, '{')
	b = appendMember(b, "key", r.Key, true)
	b = appendMember(b, "case", r.Case, false)
	b = appendMember(b, "check", r.Check, false)
	b = appendMember(b, "suite", r.Suite, false)
	b = appendMember(b, "prompt", r.Prompt, false)
	b = appendMember(b, "model", r.Model, true)
	b = strconv.AppendInt(append(b, `,"repeat":`...), int64(r.Repeat), 10)
	b = appendMember(b, "answered", r.Answered, false)
	b = appendMember(b, "response_id", r.ResponseID, false)
	b = appendMember(b, "origin", r.Origin, true)
	b = appendMember(b, "date", r.Date.UTC().Format(time.DateOnly), true)
	b = appendMember(b, "finish", string(r.Finish), true)
	b = appendUsage(b, r.Usage)
	b = appendMillis(b, "service_ms", r.Service)
	b = appendMillis(b, "first_token_ms", r.FirstToken)
	b = appendMember(b, "text", r.Text, true)
	if len(r.ToolCalls) > 0 {
		b = append(b, `,"tool_calls":`...)
		for i, call := range r.ToolCalls {
			b = append(b, "[,"[min(i, 1)], '{')
			b = appendMember(b, "id", call.ID, true)
			b = appendMember(b, "name", call.Name, true)
			b = append(appendMember(b, "arguments", call.Arguments, true), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}', '\n')
}

// appendMember writes a string; an empty one only if it must be there.
func appendMember(b []byte, name, text string, always bool) []byte {
	if text == "" && !always {
		return b
	}
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), name...), `":`...)
	return appendQuoted(b, text)
}

func appendUsage(b []byte, usage llm.Usage) []byte {
	b = strconv.AppendInt(append(b, `,"usage":{"input":`...), usage.Input, 10)
	b = strconv.AppendInt(append(b, `,"output":`...), usage.Output, 10)
	if usage.CachedInput != 0 {
		b = strconv.AppendInt(append(b, `,"cached_input":`...), usage.CachedInput, 10)
	}
	if usage.Reasoning != 0 {
		b = strconv.AppendInt(append(b, `,"reasoning":`...), usage.Reasoning, 10)
	}
	if usage.Estimated {
		b = append(b, `,"estimated":true`...)
	}
	return append(b, '}')
}

func appendMillis(b []byte, name string, d time.Duration) []byte {
	if d <= 0 {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return strconv.AppendFloat(b, float64(d)/1e6, 'f', -1, 64)
}

// appendQuoted writes a JSON string. It is ours, so that neither keys nor lines
// change with the escapes of a library; bytes that are not UTF-8 become U+FFFD.
func appendQuoted(b []byte, text string) []byte {
	const hexDigits = "0123456789abcdef"
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	b = append(b, '"')
	begin := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		b = append(b, text[begin:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		begin = i + 1
	}
	return append(append(b, text[begin:]...), '"')
}
