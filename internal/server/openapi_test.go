package server

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/server/openapitest"
)

// The document is OpenAPI 3.1, all of its schemas can be used, each of its parts is
// referred to, and its examples are what they are examples of.
func TestTheOpenAPIDocumentIsOne(t *testing.T) {
	text, err := os.ReadFile("testdata/openapi-3.1/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	official, err := jsonschema.Compile(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.Decode(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	for _, violation := range official.Validate(value) {
		t.Error(violation)
	}
	for _, wrong := range openapitest.Of(OpenAPI).Troubles() {
		t.Error(wrong)
	}
	var file struct {
		Components map[string]map[string]any
	}
	if err := json.Unmarshal(OpenAPI, &file); err != nil {
		t.Fatal(err)
	}
	for kind, named := range file.Components {
		for name := range named {
			if kind != "securitySchemes" && !strings.Contains(string(OpenAPI), `"#/components/`+kind+"/"+name+`"`) {
				t.Errorf("nothing refers to %s/%s", kind, name)
			}
		}
	}
}

// Every path that is answered is described with its methods, and no other.
func TestTheOpenAPIDocumentHasEveryRoute(t *testing.T) {
	s := New(Options{Metrics: http.NotFoundHandler(), Labels: noLabels{}})
	var answered []string
	for path, methods := range s.answered {
		for _, method := range methods {
			if method != http.MethodHead {
				answered = append(answered, method+" "+strings.ReplaceAll(path, "...", ""))
			}
		}
	}
	slices.Sort(answered)
	if described := openapitest.Of(OpenAPI).Routes(); !slices.Equal(answered, described) {
		t.Errorf("answered\n%s\ndescribed\n%s", strings.Join(answered, "\n"), strings.Join(described, "\n"))
	}
}

type noLabels struct{ Labels }

// Every word that can stand under code is described, and no other.
func TestTheOpenAPIDocumentHasEveryCode(t *testing.T) {
	given := map[string]bool{}
	for _, class := range classes(t) {
		given[codeOf(class)] = true
	}
	for word := range codesInSource(t) {
		given[word] = true
	}
	codes := openapitest.Of(OpenAPI).Words("ErrorCode")
	described := slices.Sorted(slices.Values(codes))
	if want := slices.Sorted(maps.Keys(given)); !slices.Equal(want, described) {
		t.Errorf("given\n%v\ndescribed\n%v", want, described)
	}
}

// classes are all classes of failures, as the source of package fault lists them.
func classes(t *testing.T) (all []fault.Class) {
	t.Helper()
	inspect(t, "../fault", func(n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Class" {
			all = append(all, fault.Class(quoted(spec.Values[0])))
		}
	})
	if len(all) < 20 {
		t.Fatalf("only %d classes were found", len(all))
	}
	return all
}

// inWords finds a code in a body that was written down whole.
var inWords = regexp.MustCompile(`"code":"([a-z_]+)"`)

// codesInSource are the codes with which this package's source refuses requests.
func codesInSource(t *testing.T) map[string]bool {
	t.Helper()
	codes := map[string]bool{}
	inspect(t, ".", func(n ast.Node) {
		switch n := n.(type) {
		case *ast.CallExpr:
			name, ok := n.Fun.(*ast.Ident)
			if !ok || name.Name != "refuse" && name.Name != "refusalOf" {
				return
			}
			if code := quoted(n.Args[1]); code != "" {
				codes[code] = true
			} else if variable, ok := n.Args[1].(*ast.Ident); !ok || variable.Name != "code" { // refusalOf hands its own on
				t.Errorf("a code that is not written down where it is given")
			}
		case *ast.BasicLit:
			for _, found := range inWords.FindAllStringSubmatch(quoted(n), -1) {
				codes[found[1]] = true
			}
		}
	})
	if len(codes) < 10 {
		t.Fatalf("only %v were found", codes)
	}
	return codes
}

// inspect shows every node of a package's source, without its tests.
func inspect(t *testing.T, dir string, see func(ast.Node)) {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			see(n)
			return true
		})
	}
}

// quoted is the text of a literal, "" for anything else.
func quoted(n ast.Expr) string {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	text, _ := strconv.Unquote(literal.Value)
	return text
}
