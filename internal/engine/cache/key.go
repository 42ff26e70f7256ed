package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/llmx-dev/llmx/internal/llm"
)

// keyVersion changes whenever what enters the key changes.
const keyVersion = "llmx-cache-1"

// Key names everything that can change an answer: the prompt's content, the
// request, what its model stands for, the repeat and the tenant.
func Key(req llm.Request, resolved string) string {
	h := sha256.New()
	part := func(text string) {
		h.Write(strconv.AppendInt(nil, int64(len(text)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(text))
	}
	part(keyVersion)
	part(req.Tenant)
	part(req.Prompt.Hash)
	part(resolved)
	part(strconv.Itoa(req.Repeat))
	for _, value := range []any{req.Messages, req.Options, req.Output} {
		// Marshal sorts the keys of maps, so equal requests give equal text.
		data, err := json.Marshal(value)
		if err != nil {
			data = []byte(err.Error())
		}
		part(string(data))
	}
	return hex.EncodeToString(h.Sum(nil))
}
