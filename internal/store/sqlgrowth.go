package store

import (
	"regexp"
	"strings"
)

// SQLite writes out every use of a common table expression while it reads, and cannot be
// interrupted there: a chain of them that each use the one before twice takes for ever.
// maxExpansion is up to how many such copies a text is read.
const maxExpansion = 10_000

var (
	sqlSilent = regexp.MustCompile(`--[^\n]*|(?s:/\*.*?\*/)|'[^']*'`)
	sqlNames  = regexp.MustCompile("\"[^\"]*\"|`[^`]*`|\\[[^\\]]*\\]|[\\pL\\pN_$]+")
	sqlTables = regexp.MustCompile("(?i)(\"[^\"]*\"|`[^`]*`|\\[[^\\]]*\\]|[\\pL\\pN_$]+)\\s*(?:\\([^()]*\\)\\s*)?\\bAS\\s*(?:\\bNOT\\s+)?(?:\\bMATERIALIZED\\s*)?\\(")
)

// expansion is at most how many copies of its tables SQLite makes of a text: the product
// of how often each common table expression is named besides where it is defined.
func expansion(text string) float64 {
	plain := sqlSilent.ReplaceAllString(text, " ")
	tables := map[string]int{}
	for _, found := range sqlTables.FindAllStringSubmatch(plain, -1) {
		tables[bareName(found[1])] = -1
	}
	if len(tables) == 0 {
		return 1
	}
	for _, name := range sqlNames.FindAllString(plain, -1) {
		if _, is := tables[bareName(name)]; is {
			tables[bareName(name)]++
		}
	}
	copies := 1.0
	for _, uses := range tables {
		copies *= float64(max(1, uses))
	}
	return copies
}

func bareName(name string) string { return strings.ToLower(strings.Trim(name, "\"`[]")) }
