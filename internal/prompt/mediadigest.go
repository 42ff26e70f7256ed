package prompt

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// MediaDigest names the bytes behind the value of an image or file input, so that
// a changed file is another input: the hex SHA-256 of its type, name, address and
// content. It reports false for an input of any other kind, whose value says all.
func (p *Prompt) MediaDigest(input string, value any) (digest string, is bool, err error) {
	i := slices.IndexFunc(p.Inputs, func(in Input) bool { return in.Name == input })
	if i < 0 || (p.Inputs[i].Kind != KindImage && p.Inputs[i].Kind != KindFile) {
		return "", false, nil
	}
	part, err := p.readMedia(&p.Inputs[i], value)
	if err != nil {
		return "", true, err
	}
	h := sha256.New()
	for _, field := range []string{part.Media.Type, part.Media.Name, part.Media.URL, string(part.Media.Data)} {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)), true, nil
}
