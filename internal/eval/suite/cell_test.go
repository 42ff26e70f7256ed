package suite_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmx-dev/llmx/internal/eval/suite"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

// CSV has no types: what "7" is, the prompt's contract says.
func TestGoldenCellsHaveTheTypeOfTheContract(t *testing.T) {
	const properties = `{"type":"object","properties":{
		"text": {"type":"string"}, "count": {"type":"integer"}, "choice": {"enum":["7","8"]}, "level": {"enum":[7,"8"]},
		"fixed": {"const":"7"}, "open": {}, "either": {"type":["string","null"]},
		"who": {"type":"object","properties":{"zip":{"type":"string"}}}}}`
	number, text := json.Number("7"), "7"
	tests := map[string]struct {
		output llm.Output
		column string
		want   any
	}{
		"plain text":            {llm.Output{}, "golden", text},
		"text":                  {llm.Output{Kind: llm.OutputText}, "golden", text},
		"a number":              {llm.Output{Kind: llm.OutputNumber}, "golden", number},
		"JSON without a schema": {llm.Output{Kind: llm.OutputJSON}, "golden", number},
		"a string":              {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(`{"type":"string"}`)}, "golden", text},
		"a field of text":       {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.text", object{"text": text}},
		"a field of numbers":    {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.count", object{"count": number}},
		"a choice of texts":     {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.choice", object{"choice": text}},
		"a mixed choice":        {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.level", object{"level": number}},
		"a fixed text":          {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.fixed", object{"fixed": text}},
		"an open field":         {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.open", object{"open": number}},
		"a field deep inside":   {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.who.zip", object{"who": object{"zip": text}}},
		"an unknown field":      {llm.Output{Kind: llm.OutputJSON, Schema: json.RawMessage(properties)}, "golden.who.age", object{"who": object{"age": number}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := deps()
			d.Prompt = func(string, fault.Place) (suite.PromptInfo, error) { return suite.PromptInfo{Output: test.output}, nil }
			all := cases(t, load(t, project("c.csv", "id,"+test.column+"\na,7\n"), "suites/s.yaml", d))
			if diff := cmp.Diff(test.want, all[0].Golden.Value); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInputCellsHaveTheKindOfTheInput(t *testing.T) {
	d := deps()
	d.Prompt = func(string, fault.Place) (suite.PromptInfo, error) {
		return suite.PromptInfo{Kinds: map[string]string{
			"s": "string", "n": "number", "i": "integer", "b": "boolean", "l": "array", "o": "object", "t": "thread", "p": "image",
		}}, nil
	}
	data := "id,golden,s,n,i,b,l,o,t,p\n" +
		`full,x,7,7.50,7,true,"[1,""a""]","{""k"":null}","[{""role"":""user"",""content"":""hi""}]",scan.png` + "\n" +
		"empty,x,,,,,,,,\n"
	all := cases(t, load(t, project("c.csv", data), "suites/s.yaml", d))
	want := []map[string]any{
		{
			"s": "7", "n": json.Number("7.50"), "i": json.Number("7"), "b": true, "l": []any{json.Number("1"), "a"},
			"o": object{"k": nil}, "t": []any{object{"role": "user", "content": "hi"}}, "p": "scan.png",
		},
		{"s": ""},
	}
	for i, c := range all {
		if diff := cmp.Diff(want[i], c.Vars); diff != "" {
			t.Errorf("%s: %s", c.ID, diff)
		}
	}
}
