package llm

import "strconv"

// An estimate stands in where no provider has counted: for what a request will
// need before it is asked, and for an answer without usage. A token is taken as
// four bytes of UTF-8, which is the rule of thumb for English text and errs
// upwards for few other scripts.
const (
	bytesPerToken = 4
	// mediaTokens is what an image or file is taken to have.
	mediaTokens = 1000
	// assumedOutput is how many tokens an answer is taken to have where the request
	// sets no limit.
	assumedOutput = 256
)

// EstimateTokens is about how many tokens a text of so many bytes has.
func EstimateTokens(bytes int) int64 { return int64((bytes + bytesPerToken - 1) / bytesPerToken) }

// EstimateInput is about how many tokens the messages have.
func EstimateInput(messages []Message) int64 {
	bytes, media := 0, int64(0)
	for i := range messages {
		for j := range messages[i].Parts {
			part := &messages[i].Parts[j]
			bytes += len(part.Text)
			if part.ToolCall != nil {
				bytes += len(part.ToolCall.Arguments)
			}
			if part.ToolResult != nil {
				bytes += len(part.ToolResult.Content)
			}
			if part.Media != nil {
				media += mediaTokens
			}
		}
	}
	return EstimateTokens(bytes) + media
}

// EstimateRequest is about how many tokens the messages and the tools that are
// offered have.
func EstimateRequest(req *Request) int64 {
	return EstimateInput(req.Messages) + EstimateTokens(len(req.Tools.Text()))
}

// Estimate is about what a request would use if it were asked: the answer as long
// as its options let it be.
func (r *Request) Estimate() Usage {
	output, bounded := r.MaxOutput()
	if !bounded {
		output = assumedOutput
	}
	format := EstimateTokens(len(r.Options["response_format"])) // a schema is read, and counted, like a message
	return Usage{Input: EstimateRequest(r) + format, Output: output, Estimated: true}
}

// MaxOutput is how many tokens the options let the answer have; not bounded where
// they say nothing of it.
func (r *Request) MaxOutput() (tokens int64, bounded bool) {
	if r.Output.Kind == OutputEmbedding {
		return 0, true // a vector has no tokens
	}
	for _, name := range []string{"max_tokens", "max_completion_tokens"} {
		if n, err := strconv.ParseInt(string(r.Options[name]), 10, 64); err == nil && n > 0 {
			return n, true
		}
	}
	return 0, false
}
