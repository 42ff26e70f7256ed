package fault

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Allowed ends a refusal: "did you mean "x"? allowed: a, b, c". The words are
// listed in the order given; a long list is cut.
func Allowed(got string, words []string) string {
	const most = 20
	shown := words
	more := ""
	if len(shown) > most {
		shown, more = shown[:most], fmt.Sprintf(" and %d more", len(words)-most)
	}
	list := "allowed: " + strings.Join(shown, ", ") + more
	if len(words) == 0 {
		list = "none is defined"
	}
	if best := Suggest(got, words); best != "" {
		return fmt.Sprintf("did you mean %q? %s", best, list)
	}
	return list
}

// Suggest finds the nearest word by edit distance, or "" if none is near.
func Suggest(got string, words []string) string {
	letters := utf8.RuneCountInString(got)
	best, bestDistance := "", max(2, letters/3)+1
	for _, word := range words {
		// So many letters have to go or come at least. What got is may come from anywhere,
		// and be of any length.
		if apart := letters - utf8.RuneCountInString(word); max(apart, -apart) >= bestDistance {
			continue
		}
		if d := distance(strings.ToLower(got), strings.ToLower(word)); d < bestDistance {
			best, bestDistance = word, d
		}
	}
	return best
}

// distance is the edit distance with insertions, deletions, substitutions and
// swaps of neighbours (optimal string alignment), in runes.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, row, next := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		next[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, slices.Clone(before)
	}
	return row[len(t)]
}
