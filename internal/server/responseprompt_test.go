package server_test

import (
	"strings"
	"testing"

	"github.com/llmx-dev/llmx/internal/provider/upstream"
)

const album = `---
name: album
model: {id: small, options: {max_tokens: 50}}
inputs:
  who: {kind: string, required: true}
  photo: {kind: image}
  paper: {kind: file}
  chat: {kind: thread}
---
system:
You help {{ who }}.
user:
{% if photo %}{{ photo }}{% endif %}{% if paper %}{{ paper }}{% endif %}
{{ chat }}
`

func albumHouse(t *testing.T) (*house, *upstream.Server) {
	up := says(t, upstream.Reply{Text: "yes"})
	return plan{upstream: up.URL(), models: []string{"small"}, prompts: map[string]string{"album": album, "plain": plain}}.build(t), up
}

// The prompt of a response takes variables as OpenAI wraps them, texts, images and files,
// and what the input says as its conversation.
func TestAPromptOfAResponse(t *testing.T) {
	h, up := albumHouse(t)
	for _, test := range []struct{ body, want string }{
		{`{"prompt":{"id":"album","variables":{"who":"Ann"}},"input":"hi"}`, `{"role":"user","content":"hi"}`},
		{`{"model":"prompt:album","prompt":{"variables":{"who":{"type":"input_text","text":"Bob"}}},"input":"hi"}`, `"content":"You help Bob."`},
		{`{"prompt":{"id":"album","variables":{"who":"Ann","photo":{"type":"input_image","image_url":"https://x.test/a.png"}}}}`, `"image_url":{"url":"https://x.test/a.png"`},
		{`{"prompt":{"id":"album","variables":{"who":"Ann","photo":{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}}}}`, `data:image/png;base64,iVBORw0KGgo=`},
		{`{"prompt":{"id":"album","variables":{"who":"Ann","paper":{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}}}`, `"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="`},
		{`{"prompt":{"id":"album","variables":{"who":"Ann","paper":{"type":"input_file","filename":"a.pdf","file_data":"JVBERi0="}}}}`, `;base64,JVBERi0=`},
	} {
		before := up.Count()
		a := h.post("/v1/responses", test.body)
		if a.status != 200 || !strings.Contains(a.body, `"text":"yes"`) || a.header.Get("X-Llmx-Prompt") != "album@draft" {
			t.Errorf("%s: %d %s", test.body, a.status, a.body)
			continue
		}
		if sent := string(up.Requests()[before].Body); !strings.Contains(sent, test.want) {
			t.Errorf("%s:\nnot sent: %s\n%s", test.body, test.want, sent)
		}
	}
}

// What is refused is named as it was sent.
func TestRefusalsOfAResponseAreInItsWords(t *testing.T) {
	h, up := albumHouse(t)
	const ann, one = `"prompt":{"id":"album","variables":{"who":"Ann"}}`, `"prompt":{"id":"plain","variables":{"q":"one"}}`
	for body, want := range map[string]string{
		`{` + one + `,"input":"hi"}`:                                                                                 "input|input: the prompt plain takes no conversation",
		`{` + ann + `,"input":[{"role":"developer","content":"obey"}]}`:                                              "input|input: the instructions are those of the prompt album",
		`{` + ann + `,"instructions":"obey"}`:                                                                        "instructions|instructions: a prompt has its own",
		`{` + ann + `,"max_output_tokens":9}`:                                                                        "max_output_tokens|max_output_tokens: the prompt album does not allow to set it",
		`{` + ann + `,"reasoning":{"effort":"low"}}`:                                                                 "reasoning.effort|reasoning.effort: the prompt album",
		`{` + ann + `,"text":{"format":{"type":"json_object"}}}`:                                                     "text.format|text.format: the prompt album has a contract of its own",
		`{` + ann + `,"previous_response_id":"resp_1"}`:                                                              "previous_response_id|previous_response_id is not supported",
		`{"prompt":{"id":"album","variables":{"who":"Ann","photo":{"type":"input_image","file_id":"f"}}}}`:           `prompt.variables|the input "photo": unknown key "file_id"`,
		`{"prompt":{"id":"album","variables":{"who":"Ann","photo":{"type":"input_image","image_url":"llmx.yaml"}}}}`: "prompt.variables.photo|",
		`{"prompt":{"id":"album","variables":{"who":"Ann","paper":{"type":"input_file","file_url":"/etc/passwd"}}}}`: "prompt.variables",
		`{"model":"small","input":"hi","text":{"format":{"type":"json_schema","name":"two words","schema":{}}}}`:     "text.format.name|text.format.name: want 1 to 64 letters",
		`{"model":"small","input":"hi","text":{"format":{"type":"json_schema","name":"x","schema":[]}}}`:             "text.format.schema|text.format.schema: want a JSON Schema",
		`{"model":"small","input":"hi","text":{"format":{"type":"xml"}}}`:                                            `text.format.type|text.format.type "xml" is not known`,
		`{"model":"small","input":[{"role":"nobody","content":"hi"}]}`:                                               "input|input",
	} {
		a := h.post("/v1/responses", body)
		said := a.failure(t)
		param := ""
		if said.Param != nil {
			param = *said.Param
		}
		if got := param + "|" + said.Message; a.status != 400 || !strings.HasPrefix(got, want) || strings.Contains(got, "messages[") {
			t.Errorf("%s:\n got %d %s\nwant %s", body, a.status, got, want)
		}
	}
	if n := up.Count(); n != 0 {
		t.Errorf("asked %d times", n)
	}
}
