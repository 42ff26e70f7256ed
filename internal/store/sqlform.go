package store

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// sqlForm is what is special in how a statement is to be read.
type sqlForm struct {
	// skip is how many bytes of CREATE TABLE … AS are not read: SQLite looks up the
	// names of its SELECT without asking whether it may, and alone it asks.
	skip int
	// unbounded tells a statement whose subqueries SQLite writes out without asking.
	unbounded bool
}

var (
	// sqlToken is a token as SQLite sees it; to SQLite a byte order mark is a space.
	sqlToken = regexp.MustCompile(`^(?s:` +
		"([ \\t\\n\\f\\r\\x{FEFF}]+|--[^\\n]*|/\\*.*?(?:\\*/|$))" + // nothing
		"|[\\pL\\pN_$\\x{80}-\\x{10FFFF}]+|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\\[[^\\]]*\\]|.)")
	sqlTableAs = regexp.MustCompile(`^(?:EXPLAIN (?:QUERY PLAN )?)?CREATE (?:TEMP |TEMPORARY )?TABLE (?:IF NOT EXISTS )?\S+ (?:\. \S+ )?AS $`)
	sqlEvaled  = regexp.MustCompile(`^(?:EXPLAIN (?:QUERY PLAN )?)?(?:ATTACH|DETACH|VACUUM) $`)
	// sqlPages is the only table of an empty database that UPDATE may change.
	sqlPages = regexp.MustCompile(`(?i)sqlite_dbpage`)
)

// sqlWords are those that sqlForm knows; any other token at a name's place is a name.
var sqlWords = []string{"EXPLAIN", "QUERY", "PLAN", "CREATE", "TEMP", "TEMPORARY", "TABLE", "IF", "NOT", "EXISTS", "AS", ".", "ATTACH", "DETACH", "VACUUM"}

// formOf looks at the first tokens of a text.
func formOf(text string) sqlForm {
	const most = 12 // tokens of the longest beginning
	seen := ""
	for tokens, at := range sqlTokens(text) {
		word := strings.ToUpper(text[at.from:at.to])
		switch {
		case tokens == most || word == ";":
			return sqlForm{}
		case !slices.Contains(sqlWords, word):
			word = "_"
		}
		seen += word + " "
		switch {
		case sqlEvaled.MatchString(seen):
			return sqlForm{unbounded: hasSelect(text[at.to:])}
		case sqlTableAs.MatchString(seen) && beginsSelect(text[at.to:]):
			return sqlForm{skip: at.to}
		}
	}
	return sqlForm{}
}

// hasSelect reports whether a subquery stands in what is left of a statement.
func hasSelect(text string) bool {
	for _, at := range sqlTokens(text) {
		switch strings.ToUpper(text[at.from:at.to]) {
		case "SELECT", "VALUES":
			return true
		case ";":
			return false
		}
	}
	return false
}

// beginsSelect reports whether a text begins as a SELECT does.
func beginsSelect(text string) bool {
	for _, at := range sqlTokens(text) {
		return slices.Contains([]string{"SELECT", "WITH", "VALUES"}, strings.ToUpper(text[at.from:at.to]))
	}
	return false
}

type tokenSpan struct{ from, to int }

// sqlTokens are the tokens of a text with their number, without spaces and comments and
// without the semicolons before the first.
func sqlTokens(text string) iter.Seq2[int, tokenSpan] {
	return func(yield func(int, tokenSpan) bool) {
		count := 0
		for at := 0; at < len(text); {
			found := sqlToken.FindStringSubmatch(text[at:])
			span := tokenSpan{at, at + len(found[0])}
			at = span.to
			if found[1] != "" || count == 0 && found[0] == ";" {
				continue
			}
			if !yield(count, span) {
				return
			}
			count++
		}
	}
}
