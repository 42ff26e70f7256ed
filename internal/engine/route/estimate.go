package route

import (
	"strconv"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/llm"
)

// assumedOutput is how many tokens an answer is taken to have where the request
// sets no limit.
const assumedOutput = 256

// estimate is about what a request would use if it were asked: a token for every
// four characters of its texts, and the answer as long as it may be.
func estimate(req llm.Request) llm.Usage {
	characters := 0
	for _, message := range req.Messages {
		characters += utf8.RuneCountInString(message.Text())
	}
	output := int64(assumedOutput)
	for _, name := range []string{"max_tokens", "max_completion_tokens"} {
		if n, err := strconv.ParseInt(string(req.Options[name]), 10, 64); err == nil && n > 0 {
			output = n
			break
		}
	}
	return llm.Usage{Input: int64(characters+3) / 4, Output: output, Estimated: true}
}
