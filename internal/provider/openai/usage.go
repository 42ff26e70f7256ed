package openai

import "github.com/llmx-dev/llmx/internal/llm"

// usage is what a server counted.
type usage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Total      int64 `json:"total_tokens"`

	PromptDetails struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`

	CacheHit int64 `json:"prompt_cache_hit_tokens"` // DeepSeek's word for cached_tokens
}

// tokens gives the counts the meaning they have in llm.Usage. Servers differ in
// whether completion_tokens hold the reasoning; their total tells.
func (u *usage) tokens() llm.Usage {
	out := llm.Usage{
		Input: max(u.Prompt, 0), Output: max(u.Completion, 0),
		CachedInput: max(u.PromptDetails.Cached, u.CacheHit, 0),
		Reasoning:   max(u.CompletionDetails.Reasoning, 0),
	}
	if out.Reasoning > 0 && u.Total == out.Input+out.Output+out.Reasoning {
		out.Output += out.Reasoning
	}
	out.CachedInput = min(out.CachedInput, out.Input)
	out.Output = max(out.Output, out.Reasoning)
	return out
}

// maxCount is more tokens than any model takes or gives.
const maxCount = 1_000_000_000

// counted reports whether the server counted at all, and so that it can be true:
// zeros beside an answer say that it did not, and one figure that is none (below
// 0, beyond any model, or of another type, which decodes to 0) discredits all.
func (u *usage) counted() bool {
	if u == nil || u.Prompt <= 0 || u.Completion < 0 {
		return false
	}
	for _, n := range []int64{u.Prompt, u.Completion, u.Total, u.PromptDetails.Cached, u.CompletionDetails.Reasoning, u.CacheHit} {
		if n < 0 || n > maxCount {
			return false
		}
	}
	return true
}

// estimate guesses a usage from what went out and from the bytes that came back.
func estimate(req *llm.Request, said, thought int) llm.Usage {
	reasoning := llm.EstimateTokens(thought)
	return llm.Usage{
		Input: llm.EstimateRequest(req), Output: llm.EstimateTokens(said) + reasoning,
		Reasoning: reasoning, Estimated: true,
	}
}
