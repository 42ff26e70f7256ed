package server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"math/big"
	"strings"
)

// A key's text is llmx_ and 49 letters and digits: 32 random bytes, and their CRC-32,
// in base 62. The check tells a key that was cut off or mistyped from one that is not
// known, and lets scanners of secrets know one when they see it.
const (
	keyPrefix  = "llmx_"
	keyRandom  = 32
	keyLetters = 49 // 36 bytes in base 62
)

// NewKeyText makes the text of a key. Nobody can ask for it again.
func NewKeyText() string {
	secret := make([]byte, keyRandom)
	_, _ = rand.Read(secret) // never fails: it ends the process instead
	secret = binary.BigEndian.AppendUint32(secret, crc32.ChecksumIEEE(secret))
	text := new(big.Int).SetBytes(secret).Text(62)
	return keyPrefix + strings.Repeat("0", keyLetters-len(text)) + text
}

// HashKey is what is kept of a key's text. The text is as random as the hash is long,
// so that neither a salt nor a slow hash would add anything.
func HashKey(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// whole reports whether a text is a key as it was made, known or not.
func whole(text string) bool {
	letters, ok := strings.CutPrefix(text, keyPrefix)
	if !ok || len(letters) != keyLetters {
		return false
	}
	n, ok := new(big.Int).SetString(letters, 62)
	if !ok || n.Sign() < 0 || n.BitLen() > (keyRandom+4)*8 {
		return false
	}
	secret := n.FillBytes(make([]byte, keyRandom+4))
	return binary.BigEndian.Uint32(secret[keyRandom:]) == crc32.ChecksumIEEE(secret[:keyRandom])
}
