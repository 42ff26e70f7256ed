package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/jsonschema"
	"github.com/llmx-dev/llmx/internal/llm"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// maxThread bounds a file that holds a conversation, in bytes.
const maxThread = 8 << 20

// ReadThread gives the messages of the conversation that {file: path} names, in the
// field's chat format: a .json file with a list of messages, or with an object that has
// them as "messages", or a .jsonl file with one message a line. The path counts from
// dir, and stays within the project. Any other value is no file: is is false.
//
// The messages are checked; an error stands where the message does. A file has at most
// 8 MB.
func (p *Prompt) ReadThread(value any, dir string) (messages []any, is bool, err error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, false, nil
	}
	named, ok := object["file"].(string)
	if !ok || len(object) != 1 {
		return nil, true, fault.New(fault.Invalid, "a conversation is a list of messages, or {file: PATH}").WithHint("the file is .json or .jsonl")
	}
	name := path.Join(dir, named)
	if path.IsAbs(named) {
		name = named
	}
	data, err := p.threadFile(name)
	if err != nil {
		return nil, true, err
	}
	messages, err = DecodeThread(name, data)
	return messages, true, err
}

func (p *Prompt) threadFile(name string) ([]byte, error) {
	what := "the conversation " + quote(name)
	if threadForm(name) == nil {
		return nil, fault.New(fault.Invalid, "%s is no file of messages", what).WithHint("a list of messages ends in .json, one message a line in .jsonl")
	}
	real, err := jail(p.fsys, ".", name)
	if err == errOutside {
		return nil, fault.New(fault.Invalid, "the path %q leads out of the project", name).
			WithHint("it counts from the directory of the file that names it, with forward slashes")
	}
	if err != nil {
		return nil, missingThread(p.fsys, name, what, err)
	}
	data, tooLarge, err := readBounded(p.fsys, real, maxThread)
	if err != nil {
		return nil, missingThread(p.fsys, name, what, err)
	}
	if tooLarge {
		return nil, fault.At(fault.Place{File: name}, "the file is larger than %d MB", maxThread>>20).WithHint("at most %d MB of a conversation are read", maxThread>>20)
	}
	return data, nil
}

// missingThread says what else there is.
func missingThread(fsys fs.FS, name, what string, err error) error {
	problem := unreadable(fault.Place{}, what, err)
	if errors.Is(err, fs.ErrNotExist) {
		var there []string
		entries, _ := fs.ReadDir(fsys, path.Dir(name))
		for _, entry := range entries {
			if threadForm(entry.Name()) != nil {
				there = append(there, entry.Name())
			}
		}
		if best := fault.Suggest(path.Base(name), there); best != "" {
			return problem.WithHint("did you mean %q?", best)
		}
	}
	return problem
}

// written is a message as it stands in a file.
type written struct {
	value any
	place fault.Place
}

// threadForm is how a file of messages is read, by the end of its name; nil for none.
func threadForm(name string) func(name string, data []byte) ([]written, error) {
	switch path.Ext(name) {
	case ".json":
		return messagesOfJSON
	case ".jsonl":
		return messagesOfLines
	}
	return nil
}

// DecodeThread reads the text of a file of messages, and checks them. How it is read
// is told by the end of its name, and where that says nothing by the text.
func DecodeThread(name string, data []byte) ([]any, error) {
	found, err := decodeThread(name, data)
	if err != nil {
		return nil, err
	}
	var problems fault.List
	for _, message := range found {
		r := threadReader{problems: &problems, place: message.place}
		r.message(message.value)
	}
	return said(found), problems.Err()
}

func decodeThread(name string, data []byte) ([]written, error) {
	read := threadForm(name)
	if read == nil {
		read = messagesOfEither
	}
	if err := strictyaml.CheckText(name, data, 1); err != nil {
		return nil, err
	}
	found, err := read(name, bytes.TrimPrefix(data, []byte("\ufeff")))
	if err == nil && len(found) == 0 {
		err = fault.At(fault.Place{File: name}, "there is no message").WithHint(`write {"role": "user", "content": "…"}`)
	}
	return found, err
}

func said(found []written) []any {
	messages := make([]any, len(found))
	for i, message := range found {
		messages[i] = message.value
	}
	return messages
}

// messagesOfEither takes a text that begins as a list, or is one object with messages,
// as JSON, and any other as JSON lines.
func messagesOfEither(name string, data []byte) ([]written, error) {
	value, err := jsonschema.Decode(data)
	object, _ := value.(map[string]any)
	_, whole := object["messages"]
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) || err == nil && (whole || object == nil) {
		return messagesOfJSON(name, data)
	}
	return messagesOfLines(name, data)
}

// messagesOfLines reads one message a line; blank lines are skipped.
func messagesOfLines(name string, data []byte) ([]written, error) {
	var found []written
	var problems fault.List
	for i, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		place := fault.Place{File: name, Line: i + 1}
		value, err := jsonschema.DecodeAt(line, place)
		if err != nil {
			problems.Add(err)
			continue
		}
		found = append(found, written{value, place})
	}
	return found, problems.Err()
}

// messagesOfJSON reads a list of messages, or the one under "messages" of an object.
func messagesOfJSON(name string, data []byte) ([]written, error) {
	value, err := jsonschema.DecodeAt(data, fault.Place{File: name, Line: 1})
	if err != nil {
		return nil, err
	}
	start := int64(0)
	if object, ok := value.(map[string]any); ok {
		inner, there := object["messages"]
		if !there {
			return nil, fault.At(fault.Place{File: name, Line: 1}, `the object has no "messages"`).WithHint("%s", fault.Allowed("messages", sortedKeys(object)))
		}
		value, start = inner, offsetOf(data, "messages")
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fault.At(fault.Place{File: name, Line: 1}, "want a list of messages, got %s", describe(value)).WithHint(`write [{"role": "user", "content": "…"}, …]`)
	}
	found := make([]written, len(list))
	lines := linesOf(data, start, len(list))
	for i, item := range list {
		found[i] = written{item, fault.Place{File: name, Line: lines[i]}}
	}
	return found, nil
}

// offsetOf is where the value of an object's member begins. The text is valid JSON.
func offsetOf(data []byte, member string) int64 {
	decoder := json.NewDecoder(bytes.NewReader(data))
	_, _ = decoder.Token() // {
	for decoder.More() {
		key, _ := decoder.Token()
		if key == member {
			return decoder.InputOffset()
		}
		var skipped json.RawMessage
		if decoder.Decode(&skipped) != nil {
			break
		}
	}
	return 0
}

// linesOf are the lines on which the n items of a list begin. The text is valid JSON.
func linesOf(data []byte, start int64, n int) []int {
	rest := data[start:]
	rest = rest[bytes.IndexByte(rest, '['):]
	start = int64(len(data) - len(rest))
	decoder := json.NewDecoder(bytes.NewReader(rest))
	_, _ = decoder.Token() // [
	lines := make([]int, n)
	line, counted := 1, int64(0)
	for i := range lines {
		var item json.RawMessage
		if decoder.Decode(&item) != nil {
			break
		}
		at := start + decoder.InputOffset() - int64(len(item))
		line += bytes.Count(data[counted:at], []byte("\n"))
		lines[i], counted = line, at
	}
	return lines
}

// ReadMessage reads one message of a conversation in the field's chat format, and says
// everything that is wrong with it.
func ReadMessage(value any) (llm.Message, error) {
	var problems fault.List
	r := threadReader{problems: &problems}
	return r.message(value), problems.Err()
}

// ParseFile is Parse of a text that stands in a file: of a conversation, whose messages
// are told by their lines, the name says how it is read.
func (in Input) ParseFile(name, text string) (any, error) {
	if in.Kind != KindThread {
		return in.Parse(text)
	}
	return DecodeThread(name, []byte(text))
}
