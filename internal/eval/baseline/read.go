package baseline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// maxLine bounds a line: a few answers of 2 KB each are far below it.
const maxLine = 16 << 20

// maxProblems bounds what is said about a file that is not a baseline at all.
const maxProblems = 20

// Read gives the baseline in a file, sorted; nil, nil where there is no file. An empty
// file is none that was accepted, and no reason to compare with nothing. All problems are
// reported at once, each with its line; class Invalid.
func Read(root fs.FS, file string) (*eval.Baseline, error) {
	f, err := root.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		reason := err
		if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
			reason = pathErr.Err // without the path, which the place has
		}
		return nil, fault.At(fault.Place{File: file}, "the baseline cannot be read: %v", reason).Because(err)
	}
	defer f.Close()
	b, err := parse(f, file)
	if err == nil && len(b.Headers) == 0 {
		return nil, fault.At(fault.Place{File: file}, "the baseline is empty").WithHint("%s", anew)
	}
	return b, err
}

// anew says how to come by a baseline that can be read.
const anew = "take the file back from git, or remove it and accept a run anew: llmx baseline accept"

// parse reads lines until the end or until there are too many problems.
func parse(r io.Reader, file string) (*eval.Baseline, error) {
	p := parser{file: file, lines: map[key]int{}, models: map[string]int{}}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	number := 0
	for len(p.problems) < maxProblems && scanner.Scan() {
		number++
		text := bytes.TrimSuffix(scanner.Bytes(), []byte("\r"))
		if isMarker(text) {
			return nil, fault.At(fault.Place{File: file, Line: number}, "the baseline has conflict markers").
				WithHint("llmx baseline merge %s", suiteOf(file))
		}
		if len(bytes.TrimSpace(text)) > 0 {
			p.line(text, number)
		}
	}
	if err := scanner.Err(); err != nil {
		problem := fault.At(fault.Place{File: file, Line: number + 1}, "the line cannot be read").Because(err)
		if errors.Is(err, bufio.ErrTooLong) {
			problem.Message = "the line is longer than 16 MB"
		}
		p.problems.Add(problem)
	}
	p.checkModels()
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	order(&p.baseline)
	return &p.baseline, nil
}

type key struct{ id, model string }

type parser struct {
	file     string
	baseline eval.Baseline
	lines    map[key]int    // where each line stands
	models   map[string]int // where each header stands
	problems fault.List
}

func (p *parser) problem(line int, format string, args ...any) *fault.Error {
	e := fault.At(fault.Place{File: p.file, Line: line}, format, args...)
	p.problems.Add(e)
	return e
}

func (p *parser) line(text []byte, number int) {
	if !utf8.Valid(text) {
		p.problem(number, "the line is not UTF-8")
		return
	}
	header, line, err := decode(text)
	switch {
	case err != nil:
		p.problem(number, "%s", plain(err)).WithHint("a line is a header {\"suite\": …} or a case {\"case\": …}; %s", anew)
	case header != nil:
		if first, twice := p.models[header.Model]; twice {
			p.problem(number, "a second header for the model %q", header.Model).WithHint("the first is on line %d", first)
			return
		}
		p.models[header.Model] = number
		p.baseline.Headers = append(p.baseline.Headers, *header)
	default:
		if wrong := check(line); wrong != "" {
			p.problem(number, "case %q: %s", line.Case, wrong)
			return
		}
		k := key{line.Case, line.Model}
		if first, twice := p.lines[k]; twice {
			p.problem(number, "a second line for case %q on model %q", line.Case, line.Model).WithHint("the first is on line %d", first)
			return
		}
		p.lines[k] = number
		p.baseline.Lines = append(p.baseline.Lines, *line)
	}
}

// checkModels finds lines whose model has no header.
func (p *parser) checkModels() {
	for _, line := range p.baseline.Lines {
		if _, ok := p.models[line.Model]; !ok && len(p.problems) < maxProblems {
			p.problem(p.lines[key{line.Case, line.Model}], "case %q: the model %q has no header line", line.Case, line.Model)
		}
	}
}

// decode reads a line strictly: a header where it has the key suite, else a case.
func decode(text []byte) (*eval.BaselineHeader, *eval.BaselineLine, error) {
	isHeader := bytes.HasPrefix(text, []byte(`{"suite":`))
	if !isHeader && !bytes.HasPrefix(text, []byte(`{"case":`)) { // written by hand
		var kind struct{ Suite, Case *string }
		if err := json.Unmarshal(text, &kind); err != nil {
			return nil, nil, err
		}
		isHeader = kind.Suite != nil && kind.Case == nil
	}
	if isHeader {
		header := new(eval.BaselineHeader)
		return header, nil, strict(text, header)
	}
	line := new(eval.BaselineLine)
	return nil, line, strict(text, line)
}

func strict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value on the line")
	}
	return nil
}

// plain words a JSON error for the author of the file.
func plain(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "the key \"" + wrong.Field + "\" cannot hold a JSON " + wrong.Value
	}
	if _, ok := errors.AsType[*json.SyntaxError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the line is not JSON"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// check says what is wrong with a case's line, "" for nothing.
// maxCost is more than any answer costs.
const maxCost = 1_000_000 * llm.USD

func check(line *eval.BaselineLine) string {
	count, passes := 0, 0
	for _, answer := range line.Answers {
		if answer.Count < 1 || answer.Passes < 0 || answer.Passes > answer.Count {
			return "an answer passes more often than it was given"
		}
		count += answer.Count
		passes += answer.Passes
	}
	switch {
	case line.Case == "" || line.Model == "":
		return "the line names no case or no model"
	case line.Input == "" || line.Criteria == "":
		return "the line has no input or criteria hash"
	case line.Repeats < 1 || line.Passes < 0 || line.Passes > line.Repeats:
		return "passes must lie between 0 and repeats, and there must be a repeat"
	case line.Valid < -1 || line.Valid > line.Repeats:
		return "valid must lie between 0 and repeats, or be -1 without a contract"
	case line.First() < -1 || line.First() > line.Repeats:
		return "first_try must lie between 0 and repeats"
	case count != line.Repeats || passes != line.Passes:
		return "the answers' counts do not sum to repeats and passes"
	case line.Cost != nil && (*line.Cost < 0 || *line.Cost > maxCost):
		return "cost must lie between 0 and a million dollars, in nano-USD"
	}
	for metric, score := range line.Scores {
		if score < 0 || score > 1 || score != score {
			return fmt.Sprintf("the score of %s must lie between 0 and 1", metric)
		}
	}
	return ""
}

var markers = []string{"<<<<<<<", "|||||||", "=======", ">>>>>>>"}

// isMarker reports whether git put the line there. JSON starts otherwise.
func isMarker(text []byte) bool {
	for _, marker := range markers {
		if bytes.HasPrefix(text, []byte(marker)) {
			return true
		}
	}
	return false
}
