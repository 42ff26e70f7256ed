package server

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// maxInputs bounds the texts of one request.
const maxInputs = 2048

// embedding is one vector of an answer: a list of numbers, or base64 where it was
// asked for.
type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"`
}

// embeddings answers POST /v1/embeddings. Each text is a call of its own: the engine
// asks for one vector at a time.
func (s *Server) embeddings(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	f := fields(body)
	var model, format, user string
	var input json.RawMessage
	for _, one := range []struct {
		name string
		into any
		want string
	}{
		{"model", &model, "a string"}, {"input", &input, "a string or a list of strings"}, {"encoding_format", &format, "float or base64"}, {"user", &user, "a string"},
	} {
		if err := f.take(one.name, one.into, one.want); err != nil {
			return err
		}
	}
	texts, err := readInputs(input)
	if err != nil {
		return err
	}
	if format != "" && format != "float" && format != "base64" {
		return invalid("encoding_format", "encoding_format %q is not known; allowed: float, base64", format)
	}
	if err := x.mayAsk(model); err != nil {
		return err
	}
	options, err := optionsOf(f)
	if err != nil {
		return err
	}
	answer := struct {
		Object string      `json:"object"`
		Data   []embedding `json:"data"`
		Model  string      `json:"model"`
		Usage  struct {
			Prompt int64 `json:"prompt_tokens"`
			Total  int64 `json:"total_tokens"`
		} `json:"usage"`
	}{Object: "list", Model: model}
	for i, text := range texts {
		req := x.request(user)
		if i > 0 {
			req.ID = "" // only the first is the request's
		}
		req.Model, req.Options, req.Output = model, options, llm.Output{Kind: llm.OutputEmbedding}
		req.Messages = []llm.Message{llm.Text(llm.User, text)}
		response, err := x.ask(req)
		if err != nil {
			return err
		}
		vector, err := vectorOf(response.Text, format)
		if err != nil {
			return err
		}
		answer.Data = append(answer.Data, embedding{"embedding", i, vector})
		answer.Usage.Prompt += response.End.Usage.Input
		if response.End.Model != "" {
			answer.Model = response.End.Model
		}
	}
	answer.Usage.Total = answer.Usage.Prompt
	x.tell(x.w.Header())
	return x.json(http.StatusOK, answer)
}

func readInputs(raw json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil && len(raw) > 0 {
		return []string{one}, nil
	}
	var many []string
	switch err := json.Unmarshal(raw, &many); {
	case len(raw) == 0:
		return nil, invalid("input", "input is missing")
	case err != nil:
		return nil, invalid("input", "input: want a string or a list of strings; tokens are not taken")
	case len(many) == 0 || len(many) > maxInputs:
		return nil, invalid("input", "input: want 1 to %d texts", maxInputs)
	}
	return many, nil
}

// vectorOf turns the engine's base64 of float32s into what was asked for.
func vectorOf(text, format string) (any, error) {
	if format == "base64" {
		return text, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.New(fault.Internal, "a vector is no base64")
	}
	vector := make([]float32, len(raw)/4)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return vector, nil
}
