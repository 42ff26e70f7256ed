package scorer

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Embedder is who makes vectors of texts.
type Embedder struct {
	Model     string // alias of a model, or a route
	Treatment string // its hash: another one makes other criteria
}

type similarityArgs struct {
	Value     wanted          `yaml:"value" json:"value,omitzero"`
	Model     strictyaml.Node `yaml:"model,required" json:"-"`
	Threshold threshold       `yaml:"threshold" json:"threshold"`
	Extract   *extraction     `yaml:"extract" json:"extract,omitempty"`
	options   `yaml:",inline" json:"-"`

	By string `json:"model"` // its treatment
}

// parseSimilarity: {similarity: {value: …, model: embed-small, threshold: 0.8}}, by
// the golden answer where there is no value. The score is the cosine of both texts'
// vectors, 0 where it is below; of several texts the most alike counts.
func parseSimilarity(p *Parser, n strictyaml.Node) (rule, error) {
	args := similarityArgs{Threshold: similarEnough}
	if n.Kind() != strictyaml.Mapping {
		return rule{}, n.Mismatch("a mapping").WithHint("write {similarity: {value: …, model: MODEL}}, or without a value to compare with the golden answer")
	}
	if err := n.Decode(&args); err != nil {
		return rule{}, err
	}
	if err := args.Value.check(areTexts); err != nil {
		return rule{}, err
	}
	model, at, err := nameOr(args.Model, n.Place(), "")
	if err != nil {
		return rule{}, err
	}
	if p.deps.Embedder == nil {
		return rule{}, fault.At(n.Place(), "similarity asks a model, which cannot be done here").
			WithHint("levenshtein and token_f1 compare texts without one")
	}
	found, err := p.deps.Embedder(model, at)
	if err != nil {
		return rule{}, placed(err, at)
	}
	args.By = found.Treatment
	return inquiry{
		check: "similarity", whom: "the embedding model", extract: args.Extract, weigh: weighVectors,
		pose: func(s *eval.Subject, answer string) ([]llm.Request, error) {
			value, err := args.Value.of(s, areTexts)
			if err != nil {
				return nil, err
			}
			texts, _ := textsOf(value)
			questions := []llm.Request{embedding(found.Model, answer)}
			for _, text := range texts {
				questions = append(questions, embedding(found.Model, text))
			}
			return questions, nil
		},
	}.rule(rule{
		args: args, options: args.options, threshold: args.Threshold, needs: args.Value.needs(), fits: areTexts,
		about: fmt.Sprintf("is in meaning like %s to %.3g", args.Value.about(), float64(args.Threshold)),
	}), nil
}

// embedding asks for the vector of a text.
func embedding(model, text string) llm.Request {
	return llm.Request{
		Model: model, Messages: []llm.Message{llm.Text(llm.User, text)}, Output: llm.Output{Kind: llm.OutputEmbedding},
	}
}

// weighVectors compares the answer's vector, which comes first, with the others.
func weighVectors(answers []llm.Response) (float64, string, error) {
	vectors := make([][]float64, len(answers))
	for i, answer := range answers {
		vector, err := vectorOf(answer.Text)
		if err != nil {
			return 0, "", err
		}
		vectors[i] = vector
	}
	best := -1.0
	for _, other := range vectors[1:] {
		cosine, err := cosineOf(vectors[0], other)
		if err != nil {
			return 0, "", err
		}
		best = max(best, cosine)
	}
	return min(max(best, 0), 1), fmt.Sprintf("the cosine of the vectors is %.3f", best), nil
}

// vectorOf reads the base64 of float32s, little-endian.
func vectorOf(text string) ([]float64, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw)%4 != 0 {
		return nil, fault.New(fault.Judge, "the embedding is no vector")
	}
	vector := make([]float64, len(raw)/4)
	for i := range vector {
		vector[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return vector, nil
}

func cosineOf(a, b []float64) (float64, error) {
	if len(a) != len(b) {
		return 0, fault.New(fault.Judge, "the embeddings have %d and %d dimensions", len(a), len(b))
	}
	dot, squareA, squareB := 0.0, 0.0, 0.0
	for i := range a {
		dot, squareA, squareB = dot+a[i]*b[i], squareA+a[i]*a[i], squareB+b[i]*b[i]
	}
	cosine := dot / math.Sqrt(squareA*squareB)
	if math.IsNaN(cosine) || math.IsInf(cosine, 0) {
		return 0, fault.New(fault.Judge, "an embedding is zero, or no number")
	}
	return cosine, nil
}
