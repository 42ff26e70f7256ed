package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
)

// humanLabel is an answer with what people say of it.
type humanLabel struct {
	answer string
	pass   bool
	id     string // of the case
	golden *eval.Golden
	vars   map[string]any
	check  eval.Check
	place  fault.Place
}

const (
	maxLabelFile = 64 << 20
	maxLabelRows = 100_000
)

// readHumanLabels reads a file of labels, and returns all its problems at once, up to
// ten.
func (p *project) readHumanLabels(name string, j *calibrated) ([]humanLabel, error) {
	full := name
	if !filepath.IsAbs(full) {
		full = filepath.Join(p.world.Dir, filepath.FromSlash(name))
	}
	if info, err := os.Stat(full); err == nil && !info.Mode().IsRegular() { // a pipe could be waited for without an end
		return nil, fault.New(fault.Usage, "the labels %s are no file", name).WithHint("pipes, devices and directories are not read")
	}
	file, err := os.Open(full)
	if err != nil {
		return nil, fault.New(fault.Usage, "the labels %s cannot be read: %s", name, reason(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxLabelFile+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Usage, "the labels %s cannot be read: %s", name, reason(err))
	case len(data) > maxLabelFile:
		return nil, fault.At(fault.Place{File: name}, "the file is larger than %d MB", maxLabelFile>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var rows []humanLabel
	var problems fault.List
	take := func(row map[string]any, line int) bool {
		label, err := newHumanLabel(row, fault.Place{File: name, Line: line}, j)
		problems.Add(err)
		rows = append(rows, label)
		return len(problems) < 10 && len(rows) <= maxLabelRows
	}
	switch filepath.Ext(name) {
	case ".jsonl":
		err = eachJSONLine(data, name, take, func(err error) bool { problems.Add(err); return len(problems) < 10 })
	case ".csv":
		err = eachCSVRow(data, name, take)
	default:
		err = fault.New(fault.Usage, "a file of labels ends in .jsonl or .csv, not %q", filepath.Ext(name))
	}
	problems.Add(err)
	switch {
	case len(problems) > 0:
		return nil, problems.Err()
	case len(rows) > maxLabelRows:
		return nil, fault.At(fault.Place{File: name}, "the file has more than %d answers", maxLabelRows)
	case len(rows) == 0:
		return nil, &fault.Error{Class: fault.Empty, Place: fault.Place{File: name}, Message: "the file has no answer"}
	}
	return rows, nil
}

func eachJSONLine(data []byte, name string, take func(map[string]any, int) bool, refuse func(error) bool) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, maxLabelFile)
	for line := 1; lines.Scan(); line++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		place := fault.Place{File: name, Line: line}
		value, err := jsonschema.DecodeAt(lines.Bytes(), place)
		row, isObject := value.(map[string]any)
		if err == nil && !isObject {
			err = fault.At(place, "the line is not one JSON object").WithHint(`write {"answer": "…", "pass": true}`)
		}
		if err != nil {
			if !refuse(err) {
				return nil
			}
			continue
		}
		if !take(row, line) {
			return nil
		}
	}
	return lines.Err()
}

func eachCSVRow(data []byte, name string, take func(map[string]any, int) bool) error {
	reader := csv.NewReader(bytes.NewReader(data))
	header, err := reader.Read()
	for i, column := range header {
		if slices.Contains(header[:i], column) {
			return fault.At(fault.Place{File: name, Line: 1}, "the column %q is there twice", column)
		}
	}
	for err == nil {
		var cells []string
		if cells, err = reader.Read(); err != nil {
			break
		}
		line, _ := reader.FieldPos(0)
		row := map[string]any{}
		for i, cell := range cells {
			if cell != "" || header[i] == "answer" {
				row[header[i]] = cell
			}
		}
		if !take(row, line) {
			return nil
		}
	}
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return fault.At(fault.Place{File: name, Line: e.Line, Col: e.Column}, "the CSV is broken: %v", e.Err)
	}
	return nil
}

// newHumanLabel reads a row; inputs and the golden answer stand over those of its case.
func newHumanLabel(row map[string]any, place fault.Place, j *calibrated) (humanLabel, error) {
	l := humanLabel{vars: map[string]any{}, check: j.check, place: place}
	var problems fault.List
	var given bool
	if l.answer, given = labelledText(row["answer"]); !given {
		problems.Add(fault.At(place, "the row has no answer").WithHint("a JSON answer may stand as it is, or as its text"))
	}
	pass, ok := humanWord(row["pass"])
	if !ok {
		problems.Add(fault.At(place, "pass is %s", said(row["pass"])).WithHint("allowed: true, false; or pass, fail, yes, no, 1, 0"))
	}
	l.pass = pass
	if id, given := row["case"]; given {
		l.id = fmt.Sprint(id)
		c := j.cases[l.id]
		switch {
		case c == nil:
			problems.Add(fault.At(place, "the suite has no case %q", l.id))
		case j.own[l.id] == nil:
			problems.Add(fault.At(place, "the case %q has no check %s", l.id, j.name))
		default:
			l.check, l.golden = j.own[l.id], j.golden[l.id]
			for name, value := range c.Vars {
				l.vars[name] = value
			}
		}
	}
	if golden, given := row["golden"]; given {
		l.golden = &eval.Golden{Value: golden}
	}
	for name, value := range row {
		switch {
		case slices.Contains(labelColumns, name):
		case slices.Contains(j.inputs, name):
			l.vars[name] = value
		default:
			problems.Add(fault.At(place, "unknown column %q", name).WithHint("%s", fault.Allowed(name, slices.Concat(labelColumns, j.inputs))))
		}
	}
	if l.golden == nil && eval.Needs(l.check)&eval.NeedGolden != 0 && len(problems) == 0 {
		problems.Add(fault.At(place, "the check %s compares with a golden answer, and the row has none", j.name).WithHint("add golden, or case"))
	}
	return l, problems.Err()
}

// labelColumns are those of every file of labels; others are inputs of the prompt.
var labelColumns = []string{"answer", "pass", "case", "golden", "id"}

// labelledText is the answer of a row: a text, or the text of what else JSON can say.
func labelledText(value any) (string, bool) {
	switch value := value.(type) {
	case nil:
		return "", false
	case string:
		return value, true
	}
	text, err := json.Marshal(value)
	return string(text), err == nil
}

func humanWord(value any) (pass, ok bool) {
	switch strings.ToLower(strings.TrimSpace(fmt.Sprint(value))) {
	case "true", "pass", "yes", "1":
		return true, true
	case "false", "fail", "no", "0":
		return false, true
	}
	return false, false
}

func said(value any) string {
	if value == nil {
		return "missing"
	}
	return fmt.Sprintf("%q", fmt.Sprint(value))
}
