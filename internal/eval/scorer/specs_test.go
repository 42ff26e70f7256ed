package scorer

import "testing"

// The spec is part of the criteria hash: these texts may only change together with
// a check's version, or every stored answer would count as judged otherwise. Those of
// the first list stand in baselines since before there were weights and thresholds.
func TestSpecsStay(t *testing.T) {
	for _, test := range []struct{ check, spec string }{
		{"golden", `{"args":{},"check":"golden","version":1}`},
		{"golden: {extract: final_number, metric: right}", `{"args":{"extract":"final_number"},"check":"golden","metric":"right","version":1}`},
		{"golden: {extract: {regex: 'A: (.*)', drop: ','}}", `{"args":{"extract":{"drop":",","regex":"A: (.*)"}},"check":"golden","version":1}`},
		{"schema", `{"check":"schema","version":1}`},
		{"schema: {metric: shape}", `{"check":"schema","metric":"shape","version":1}`},
		{"schema: {type: object, required: [label], metric: shape_too}", `{"args":{"required":["label"],"type":"object"},"check":"schema","metric":"shape_too","version":1}`},
		{"equals: billing", `{"args":{"value":"billing"},"check":"equals","version":1}`},
		{"equals: 1.0", `{"args":{"value":1.0},"check":"equals","version":1}`},
		{"equals: null", `{"args":{"value":null},"check":"equals","version":1}`},
		{"equals: [a, 1, {b: true}]", `{"args":{"value":["a",1,{"b":true}]},"check":"equals","version":1}`},
		{"equals: {value: {label: bug}, metric: same}", `{"args":{"value":{"label":"bug"}},"check":"equals","metric":"same","version":1}`},
		{"equals: {value: 18, extract: final_number}", `{"args":{"value":18,"extract":"final_number"},"check":"equals","version":1}`},
		{"contains: refund", `{"args":{"all":["refund"]},"check":"contains","version":1}`},
		{"contains: [refund, sorry]", `{"args":{"all":["refund","sorry"]},"check":"contains","version":1}`},
		{"contains: {value: refund, all: [a], any: [b, c], ignore_case: true, extract: {regex: '.+'}, metric: words}", `{"args":{"all":["refund","a"],"any":["b","c"],"ignore_case":true,"extract":{"regex":".+"}},"check":"contains","metric":"words","version":1}`},
		{"regex: '^\\d+$'", `{"args":{"value":"^\\d+$"},"check":"regex","version":1}`},
		{"regex: {value: '[a-z]{2,}', metric: letters}", `{"args":{"value":"[a-z]{2,}"},"check":"regex","metric":"letters","version":1}`},
		{"field: {path: 'a.b[0].c', equals: null}", `{"args":{"path":"a.b[0].c","equals":null},"check":"field","version":1}`},
		{"field: {path: $.a, one_of: [1, x, null]}", `{"args":{"path":"a","one_of":[1,"x",null]},"check":"field","version":1}`},
		{"field: {path: 'items[-1]', min: 1, max: 2.5, metric: small}", `{"args":{"path":"items[-1]","min":"1","max":"2.5"},"check":"field","metric":"small","version":1}`},
		{"field: {path: name, regex: '^A'}", `{"args":{"path":"name","regex":"^A"},"check":"field","version":1}`},
		{"field: {path: name, exists: false}", `{"args":{"path":"name","exists":false},"check":"field","version":1}`},
		{"numeric: 0.10", `{"args":{"equals":"0.10"},"check":"numeric","version":1}`},
		{"numeric: {equals: 18, tolerance: 0.5, relative: 0.01, extract: final_number, metric: near}", `{"args":{"equals":"18","tolerance":"0.5","relative":"0.01","extract":"final_number"},"check":"numeric","metric":"near","version":1}`},
		{"length: {max: 280}", `{"args":{"max":280,"unit":"characters"},"check":"length","version":1}`},
		{"length: {min: 1, max: 20, unit: words, extract: {regex: 'A: (.*)'}, metric: brief}", `{"args":{"min":1,"max":20,"unit":"words","extract":{"regex":"A: (.*)"}},"check":"length","metric":"brief","version":1}`},
		{"finish_reason: stop", `{"args":{"value":["stop"]},"check":"finish_reason","version":1}`},
		{"finish_reason: [stop, tool_calls]", `{"args":{"value":["stop","tool_calls"]},"check":"finish_reason","version":1}`},
		{"finish_reason: {value: length, metric: cut}", `{"args":{"value":["length"]},"check":"finish_reason","metric":"cut","version":1}`},
		{"max_cost: 0.002", `{"args":{"value":"0.002"},"check":"max_cost","version":1}`},
		{"max_cost: {value: 0.002, metric: cheap}", `{"args":{"value":"0.002"},"check":"max_cost","metric":"cheap","version":1}`},
		{"max_latency: 500ms", `{"args":{"value":500000000},"check":"max_latency","version":1}`},
		{"max_latency: {value: 3s, metric: quick}", `{"args":{"value":3000000000},"check":"max_latency","metric":"quick","version":1}`},
		{"max_attempts: 2", `{"args":{"value":2},"check":"max_attempts","version":1}`},
		{"max_attempts: {value: 1, metric: first}", `{"args":{"value":1},"check":"max_attempts","metric":"first","version":1}`},
		{"not: schema", `{"check":"not","of":{"check":"schema","version":1},"version":1}`},
		{"not: {contains: sorry}", `{"check":"not","of":{"args":{"all":["sorry"]},"check":"contains","version":1},"version":1}`},
		{"not: {contains: {value: x, metric: no_x}}", `{"check":"not","of":{"args":{"all":["x"]},"check":"contains","metric":"no_x","version":1},"version":1}`},
		{"equals: {value: 1.0}", `{"args":{"value":1.0},"check":"equals","version":1}`},
		{"contains: {value: a}", `{"args":{"all":["a"]},"check":"contains","version":1}`},
		{"contains: [b, a]", `{"args":{"all":["b","a"]},"check":"contains","version":1}`},
	} {
		if got := string(parse(t, test.check).Spec()); got != test.spec {
			t.Errorf("%s\n got %s\nwant %s", test.check, got, test.spec)
		}
	}
	if got, want := string(Golden().Spec()), string(parse(t, "golden").Spec()); got != want {
		t.Errorf("the implicit golden check has the spec %s, the explicit one %s", got, want)
	}
}

// A default is written out, so that a new one would move the spec; a weight of 1 and
// the long form of the same are no difference.
func TestSpecsOfNewChecks(t *testing.T) {
	for _, test := range []struct{ check, spec string }{
		{`contains: {ordered: [b, a]}`, `{"args":{"ordered":["b","a"]},"check":"contains","version":1}`},
		{`starts_with: Dear`, `{"args":{"value":"Dear"},"check":"starts_with","version":1}`},
		{`starts_with: {value: Dear}`, `{"args":{"value":"Dear"},"check":"starts_with","version":1}`},
		{`ends_with: {value: [a, b], ignore_case: true}`, `{"args":{"value":["a","b"],"ignore_case":true},"check":"ends_with","version":1}`},
		{`length: {max: 3, unit: tokens}`, `{"args":{"max":3,"unit":"tokens"},"check":"length","version":1}`},
		{`exact_match`, `{"args":{},"check":"exact_match","version":1}`},
		{`exact_match: {value: x, weight: 1, metric: m}`, `{"args":{"value":"x"},"check":"exact_match","metric":"m","version":1}`},
		{`token_f1`, `{"args":{"threshold":1},"check":"token_f1","version":1}`},
		{`token_f1: x`, `{"args":{"value":"x","threshold":1},"check":"token_f1","version":1}`},
		{`token_f1: {value: [x, 1], threshold: 0.50}`, `{"args":{"value":["x",1],"threshold":0.5},"check":"token_f1","version":1}`},
		{`levenshtein: x`, `{"args":{"value":"x","threshold":0.8},"check":"levenshtein","version":1}`},
		{`levenshtein: {threshold: 0.9, ignore_case: true}`, `{"args":{"ignore_case":true,"threshold":0.9},"check":"levenshtein","version":1}`},
		{`refusal`, `{"args":{},"check":"refusal","version":1}`},
		{`refusal: {phrases: [nein]}`, `{"args":{"phrases":["nein"]},"check":"refusal","version":1}`},
		{`date`, `{"args":{},"check":"date","version":1}`},
		{`date: 2026-11-22`, `{"args":{"value":"2026-11-22"},"check":"date","version":1}`},
		{`date: {value: 2026-11-22, same: day, formats: [D.M.YYYY]}`, `{"args":{"value":"2026-11-22","same":"day","formats":["D.M.YYYY"]},"check":"date","version":1}`},
		{`json`, `{"args":{"threshold":1},"check":"json","version":1}`},
		{`json: {value: {b: 1, a: null}, exact: true}`, `{"args":{"value":{"a":null,"b":1},"exact":true,"threshold":1},"check":"json","version":1}`},
		{`list: [a, 1.0]`, `{"args":{"items":["a",1.0],"as":"ordered","measure":"f1","threshold":1},"check":"list","version":1}`},
		{`list: {as: set, measure: recall, split: ','}`, `{"args":{"as":"set","measure":"recall","split":",","threshold":1},"check":"list","version":1}`},
		{`is_json`, `{"args":{},"check":"is_json","version":1}`},
		{`is_xml: {extract: {path: $.a.b, drop: ' '}}`, `{"args":{"extract":{"drop":" ","path":"a.b"}},"check":"is_xml","version":1}`},
		{`tool_called`, `{"args":{},"check":"tool_called","version":1}`},
		{`tool_called: refund`, `{"args":{"name":"refund"},"check":"tool_called","version":1}`},
		{`tool_called: {name: refund}`, `{"args":{"name":"refund"},"check":"tool_called","version":1}`},
		{`tool_called: {arguments: {id: 1}, match: subset}`, `{"args":{"arguments":{"id":1}},"check":"tool_called","version":1}`},
		{`tool_called: {arguments: {id: 1}, match: exact, schema: {type: object}}`, `{"args":{"arguments":{"id":1},"match":"exact","schema":{"type":"object"}},"check":"tool_called","version":1}`},
		{`tool_sequence: [a, b]`, `{"args":{"exact":[{"name":"a"},{"name":"b"}]},"check":"tool_sequence","version":1}`},
		{`tool_sequence: {exact: [a, {name: b}]}`, `{"args":{"exact":[{"name":"a"},{"name":"b"}]},"check":"tool_sequence","version":1}`},
		{`tool_sequence: {any_order: [{name: a, arguments: {x: 1}}]}`, `{"args":{"any_order":[{"arguments":{"x":1},"name":"a"}]},"check":"tool_sequence","version":1}`},
		{`max_tokens: 5`, `{"args":{"value":5,"of":"output"},"check":"max_tokens","version":1}`},
		{`cached`, `{"args":{"value":true},"check":"cached","version":1}`},
		{`cached: false`, `{"args":{"value":false},"check":"cached","version":1}`},
		{`contains: {value: a, weight: 2, metric: m}`, `{"args":{"all":["a"]},"check":"contains","metric":"m","version":1,"weight":2}`},
		{`contains: {value: a, weight: 1.0, metric: m}`, `{"args":{"all":["a"]},"check":"contains","metric":"m","version":1}`},
		{`schema: {type: object, weight: 2.50, metric: m}`, `{"args":{"type":"object"},"check":"schema","metric":"m","version":1,"weight":2.5}`},
		{`any_of: [refusal, {contains: a}]`, `{"check":"any_of","of":[{"args":{},"check":"refusal","version":1},{"args":{"all":["a"]},"check":"contains","version":1}],"version":1}`},
		{`any_of: {checks: [refusal, {contains: a}]}`, `{"check":"any_of","of":[{"args":{},"check":"refusal","version":1},{"args":{"all":["a"]},"check":"contains","version":1}],"version":1}`},
		{`all_of: {checks: [{contains: {value: a, weight: 3}}, {not: refusal}], threshold: 0.75, metric: m}`, `{"args":{"threshold":0.75},"check":"all_of","metric":"m","of":[{"args":{"all":["a"]},"check":"contains","version":1,"weight":3},{"check":"not","of":{"args":{},"check":"refusal","version":1},"version":1}],"version":1}`},
		{`not: {any_of: [refusal]}`, `{"check":"not","of":{"check":"any_of","of":[{"args":{},"check":"refusal","version":1}],"version":1},"version":1}`},
	} {
		if got := string(parse(t, test.check).Spec()); got != test.spec {
			t.Errorf("%s\n got %s\nwant %s", test.check, got, test.spec)
		}
	}
}
