package stats

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var year = regexp.MustCompile(`\b(1[89]|20)\d\d\b`)

// A formula that nobody can look up is one that nobody can check.
func TestEveryFunctionNamesItsSource(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	functions := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || f.Recv != nil {
				continue
			}
			functions++
			if !year.MatchString(f.Doc.Text()) {
				t.Errorf("%s: %s names no source with its year", file, f.Name)
			}
		}
	}
	if functions < 20 {
		t.Errorf("only %d functions were found", functions)
	}
}
