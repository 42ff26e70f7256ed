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

// embeddingList is the answer.
type embeddingList struct {
	Object string      `json:"object"`
	Data   []embedding `json:"data"`
	Model  string      `json:"model"`
	Usage  struct {
		Prompt int64 `json:"prompt_tokens"`
		Total  int64 `json:"total_tokens"`
	} `json:"usage"`
}

// embeddings answers POST /v1/embeddings. Each text is a call of its own, as the engine
// asks for one vector at a time; a few are under way at once.
func (s *Server) embeddings(x *exchange) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	f := fields(body)
	var model, format, user string
	var input json.RawMessage
	for _, one := range []member{
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
	if model == "" {
		return invalid("model", "model is missing: the name of a model or of a route")
	}
	if err := x.mayAsk(model); err != nil {
		return err
	}
	if err := wantDimensions(f["dimensions"]); err != nil {
		return err
	}
	req := x.request(user)
	if req.Options, err = optionsOf(f); err != nil {
		return err
	}
	req.Model, req.Output = model, llm.Output{Kind: llm.OutputEmbedding}
	responses, err := x.embed(req, texts)
	if err != nil {
		return err
	}
	answer := embeddingList{Object: "list", Model: model, Data: make([]embedding, len(responses))}
	for i, response := range responses {
		vector, err := vectorOf(response.Text, format)
		if err != nil {
			return err
		}
		answer.Data[i] = embedding{"embedding", i, vector}
		answer.Usage.Prompt += response.End.Usage.Input
		if response.End.Model != "" {
			answer.Model = response.End.Model
		}
	}
	answer.Usage.Total = answer.Usage.Prompt
	x.tell(x.w.Header())
	return x.json(http.StatusOK, answer)
}

func wantDimensions(raw json.RawMessage) error {
	var dimensions *int
	if len(raw) == 0 {
		return nil
	}
	if err := decode(raw, "dimensions", &dimensions, "a whole number"); err != nil {
		return err
	}
	if dimensions != nil && *dimensions < 1 {
		return invalid("dimensions", "dimensions: want a whole number from 1 on")
	}
	return nil
}

// readInputs reads one text, or a list of them.
func readInputs(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 {
		return nil, invalid("input", "input is missing")
	}
	texts := make([]string, 1)
	if raw[0] == '"' {
		if err := decode(raw, "input", &texts[0], "a string or a list of strings"); err != nil {
			return nil, err
		}
		return texts, notEmpty(texts)
	}
	var list []json.RawMessage
	if err := decode(raw, "input", &list, "a string or a list of strings"); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > maxInputs {
		return nil, invalid("input", "input: want 1 to %d texts", maxInputs)
	}
	texts = make([]string, len(list))
	for i, one := range list {
		if at := within("input", i); one[0] != '"' {
			return nil, invalid(at, "%s: want a string; tokens are not taken, as every model has its own", at)
		} else if err := decode(one, at, &texts[i], "a string"); err != nil {
			return nil, err
		}
	}
	return texts, notEmpty(texts)
}

func notEmpty(texts []string) error {
	for i, text := range texts {
		if text == "" {
			return invalid(within("input", i), "%s is empty", within("input", i))
		}
	}
	return nil
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
