package openai

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// maxEmbedding bounds the body of an embedding: 4,096 dimensions need 100 KB.
const maxEmbedding = 4 << 20

// embedded is the answer to a request for an embedding, as far as we read it.
type embedded struct {
	Data []struct {
		Embedding []*float64 `json:"embedding"` // null, which is no number, is seen as such
	} `json:"data"`
	Model string          `json:"model"`
	Usage *usage          `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// embed asks for the vector of the one message's text, at /embeddings.
func (m *model) embed(ctx context.Context, cancel context.CancelCauseFunc, req llm.Request, yield func(llm.Event, error) bool) error {
	if len(req.Messages) != 1 {
		return fault.New(fault.BadRequest, "an embedding is of one message, not of %d", len(req.Messages))
	}
	body := appendQuoted([]byte(`{"model":`), m.wire)
	body = appendQuoted(append(body, `,"input":`...), req.Messages[0].Text())
	for _, name := range slices.Sorted(maps.Keys(req.Options)) { // dimensions, and what else a vendor has
		body = append(appendQuoted(append(body, ','), name), ':')
		body = append(body, req.Options[name]...)
	}
	body = append(body, '}')
	ex := &exchange{model: m.wire, request: body, whole: true, cancel: cancel}
	m.provider.bound(&ex.connecting, req.Timeouts.Connect, cancel)
	said, err := m.provider.post(context.WithValue(ctx, exchangeKey{}, ex), "/embeddings", body)
	if err != nil {
		return err
	}
	answer, err := m.provider.readEmbedding(said, m.wire)
	if err != nil {
		return err
	}
	end := &llm.End{Finish: llm.FinishStop, Model: answer.Model, RateLimit: ex.limits, Usage: estimate(&req, 0, 0)}
	if answer.Usage.counted() {
		end.Usage = answer.Usage.tokens()
		end.Usage.Output = 0 // a vector has no tokens, whatever a server says
	}
	if yield(llm.Event{Text: vectorText(answer.Data[0].Embedding)}, nil) {
		yield(llm.Event{End: end}, nil)
	}
	return nil
}

// post sends a body, and reads all that comes back.
func (p *Provider) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.base, "/")+path, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if p.key != "" {
		request.Header.Set("Authorization", "Bearer "+p.key)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, maxEmbedding+1))
	if err == nil && len(said) > maxEmbedding {
		err = p.malformed("more than the %d MB that an embedding may have", maxEmbedding>>20)
	}
	return said, err
}

// readEmbedding reads the answer; one without a vector is none.
func (p *Provider) readEmbedding(said []byte, wire string) (embedded, error) {
	var answer embedded
	err := json.Unmarshal(said, &answer)
	if len(answer.Error) > 0 && string(answer.Error) != "null" {
		return answer, p.refusedMidway(said, wire)
	}
	if err != nil || len(answer.Data) != 1 || len(answer.Data[0].Embedding) == 0 {
		return answer, p.malformed("a body that holds no embedding").WithHint("does the provider of llmx.yaml offer embeddings, at base_url + /embeddings?")
	}
	if i := slices.Index(answer.Data[0].Embedding, nil); i >= 0 {
		return answer, p.malformed("an embedding whose value %d is null", i+1)
	}
	return answer, nil
}

// vectorText is the base64 of the vector's float32s, little-endian.
func vectorText(vector []*float64) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(*x)))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
