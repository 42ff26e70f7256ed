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
		{`{"prompt":{"id":"album","variables":{"who":"Ann","paper":{"type":"input_file","file_url":"https://x.test/a.pdf"}}}}`, `https://x.test/a.pdf`},
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

// A file of a response is none of this machine's.
func TestTheFilesOfAResponseAreNoPaths(t *testing.T) {
	h, up := albumHouse(t)
	for _, variable := range []string{
		`"photo":{"type":"input_image","image_url":"llmx.yaml"}`, `"photo":{"type":"input_image","file_id":"f"}`, `"paper":{"type":"input_file","file_url":"/etc/passwd"}`,
		`"paper":{"type":"input_file","file_data":"/etc/passwd"}`, `"paper":{"type":"input_file","path":"llmx.yaml"}`, `"paper":{"path":"llmx.yaml"}`,
	} {
		a := h.post("/v1/responses", `{"prompt":{"id":"album","variables":{"who":"Ann",`+variable+`}}}`)
		if said := a.failure(t); a.status != 400 || said.Param == nil || !strings.HasPrefix(*said.Param, "prompt.variables") || up.Count() != 0 {
			t.Errorf("%s: %d %s", variable, a.status, a.body)
		}
	}
}
