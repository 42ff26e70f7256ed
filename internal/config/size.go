package config

import (
	"math"
	"strconv"
	"strings"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// Size is a number of bytes, written as 512KB, 32MB or 1GB, which are powers of two.
type Size int64

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}}

// UnmarshalNode reads a size.
func (s *Size) UnmarshalNode(n strictyaml.Node) error {
	for _, unit := range sizeUnits {
		digits, ok := strings.CutSuffix(n.Text(), unit.suffix)
		if !ok || n.Kind() != strictyaml.String {
			continue
		}
		count, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err == nil && count >= 0 && count <= math.MaxInt64/unit.bytes {
			*s = Size(count * unit.bytes)
			return nil
		}
	}
	return n.Mismatch("a size such as 512KB, 32MB or 1GB")
}

// String writes the size with the largest unit that leaves no fraction.
func (s Size) String() string {
	for i := len(sizeUnits) - 1; i >= 0; i-- {
		if unit := sizeUnits[i]; s != 0 && int64(s)%unit.bytes == 0 {
			return strconv.FormatInt(int64(s)/unit.bytes, 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10) + " bytes"
}
