package openai

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

	openai "github.com/sashabaranov/go-openai"

	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

// BenchmarkCall compares a call through this package with the bare loop over
// go-openai, against the same server in the same process.
func BenchmarkCall(b *testing.B) {
	server := upstream.NewFixed(b, upstream.Reply{
		Text: "Natalia sold 48/2 = 24 clips in May. Altogether 48+24 = 72. #### 72", Pieces: 8,
		Usage: &upstream.Usage{Prompt: 120, Completion: 34},
	})
	const system, user = "You solve arithmetic word problems.", "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many clips did Natalia sell altogether in April and May?"

	b.Run("bare", func(b *testing.B) {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		defer transport.CloseIdleConnections()
		config := openai.DefaultConfig(testKey)
		config.BaseURL, config.HTTPClient = server.URL(), &http.Client{Transport: transport}
		client := openai.NewClientWithConfig(config)
		b.ReportAllocs()
		for b.Loop() {
			stream, err := client.CreateChatCompletionStream(b.Context(), openai.ChatCompletionRequest{
				Model: "gpt-test", Temperature: 0.5, MaxCompletionTokens: 200,
				Messages:      []openai.ChatCompletionMessage{{Role: "system", Content: system}, {Role: "user", Content: user}},
				StreamOptions: &openai.StreamOptions{IncludeUsage: true},
			})
			if err != nil {
				b.Fatal(err)
			}
			text := ""
			for {
				chunk, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				if len(chunk.Choices) > 0 {
					text += chunk.Choices[0].Delta.Content
				}
			}
			stream.Close()
			if text == "" {
				b.Fatal("no text")
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		p := provider(b, server.URL())
		model := p.Model("gpt-test", Caps{})
		req := llm.Request{
			Messages: []llm.Message{llm.Text(llm.System, system), llm.Text(llm.User, user)},
			Options:  llm.Options{"temperature": json.RawMessage("0.5"), "max_completion_tokens": json.RawMessage("200")},
		}
		b.ReportAllocs()
		for b.Loop() {
			response, err := llm.Collect(model.Stream(b.Context(), req))
			if err != nil || response.Text == "" {
				b.Fatal(response, err)
			}
		}
	})
}
