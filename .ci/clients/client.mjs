// OpenAI's own client for JavaScript, unmodified, against llmx serve: URL LOG in the arguments.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const [url, log] = process.argv.slice(2);
const client = new OpenAI({ baseURL: url + "/v1", apiKey: "none", maxRetries: 2 });
const messages = [{ role: "user", content: "I was charged twice, fix it NOW" }];
const logText = () => readFileSync(log, "utf8");
const count = (text) => logText().split(text).length - 1;

async function waitsFor(holds, what) {
  for (let i = 0; i < 150; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(what);
}

const schema = {
  type: "object", required: ["label"], additionalProperties: false,
  properties: { label: { type: "string", enum: ["billing", "bug", "account", "other"] } },
};
const parameters = { type: "object", required: ["city"], additionalProperties: false, properties: { city: { type: "string" } } };

const parts = {
  async chat() {
    const { data, response } = await client.chat.completions.create({ model: "quick", messages, temperature: 0 }).withResponse();
    assert.ok(data.choices[0].message.content);
    assert.ok(response.headers.get("x-request-id"));
    assert.equal(data._request_id, response.headers.get("x-request-id"));
  },
  async streaming() {
    const stream = await client.chat.completions.create({ model: "main", messages, stream: true, stream_options: { include_usage: true } });
    let text = "", usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.ok(usage.total_tokens > 0);
    const whole = await client.chat.completions.create({ model: "main", messages });
    assert.equal(text, whole.choices[0].message.content);
  },
  async tools() {
    const tools = [{ type: "function", function: { name: "weather", parameters } }];
    const answer = await client.chat.completions.create({ model: "quick", messages, tools, tool_choice: "required" });
    const call = answer.choices[0].message.tool_calls[0];
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
    const thread = [...messages, answer.choices[0].message, { role: "tool", tool_call_id: call.id, content: "rain" }];
    assert.ok((await client.chat.completions.create({ model: "quick", messages: thread })).choices[0].message.content);
    const streamed = await client.chat.completions.stream({ model: "quick", messages, tools, tool_choice: "required" }).finalChatCompletion();
    assert.equal(streamed.choices[0].message.tool_calls[0].function.name, "weather");
  },
  async structuredOutput() {
    const response_format = { type: "json_schema", json_schema: { name: "label", strict: true, schema } };
    const answer = await client.chat.completions.parse({ model: "quick", messages, response_format });
    assert.ok(schema.properties.label.enum.includes(JSON.parse(answer.choices[0].message.content).label));
  },
  async prompts() {
    const answer = await client.chat.completions.create({ model: "prompt:triage", messages: [], prompt: { variables: { ticket: "I was charged twice" } } });
    assert.ok(JSON.parse(answer.choices[0].message.content).label);
    const response = await client.responses.create({ prompt: { id: "triage", variables: { ticket: "I was charged twice" } } });
    assert.ok(JSON.parse(response.output_text).label);
  },
  async embeddings() {
    const answer = await client.embeddings.create({ model: "quick", input: ["one text", "another"] });
    assert.equal(answer.data.length, 2);
    assert.equal(typeof answer.data[0].embedding[0], "number");
  },
  async images() {
    const dot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const content = [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: dot } }];
    assert.ok((await client.chat.completions.create({ model: "quick", messages: [{ role: "user", content }] })).choices[0].message.content);
  },
  async errors() {
    await assert.rejects(client.chat.completions.create({ model: "nobody", messages }), (e) => e instanceof OpenAI.NotFoundError && e.code === "model_not_found" && !!e.requestID);
    await assert.rejects(client.chat.completions.create({ model: "quick", messages, n: 2 }), (e) => e instanceof OpenAI.BadRequestError && e.param === "n");
    const before = count("model=broken");
    await assert.rejects(client.chat.completions.create({ model: "broken", messages }), (e) => e.status >= 429 && e.headers.get("x-should-retry") === "false");
    await waitsFor(() => count("model=broken") === before + 1, "the client asked again, and multiplied our retries");
  },
  async timeouts() {
    const before = count("status=499");
    await assert.rejects(client.chat.completions.create({ model: "slow", messages }, { timeout: 300, maxRetries: 0 }), OpenAI.APIConnectionTimeoutError);
    await waitsFor(() => count("status=499") > before, "the call went on after the timeout");
  },
  async cancellation() {
    const before = count("status=499");
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(), 200);
    await assert.rejects(client.chat.completions.create({ model: "slow", messages, stream: true }, { signal: leaving.signal }), OpenAI.APIUserAbortError);
    await waitsFor(() => count("status=499") > before, "the call went on after the client had left");
  },
  async responses() {
    const answer = await client.responses.create({ model: "quick", input: "hi", instructions: "Be kind." });
    assert.ok(answer.output_text && answer.status === "completed");
    let text = "", last;
    for await (const event of await client.responses.create({ model: "quick", input: "hi", stream: true })) {
      last = event;
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    assert.equal(last.type, "response.completed");
    assert.ok(text);
    const tools = [{ type: "function", name: "weather", parameters, strict: true }];
    const called = await client.responses.create({ model: "quick", input: "hi", tools, tool_choice: "required" });
    assert.equal(called.output[0].type, "function_call");
    const input = [{ role: "user", content: "hi" }, called.output[0], { type: "function_call_output", call_id: called.output[0].call_id, output: "rain" }];
    assert.ok((await client.responses.create({ model: "quick", input })).output_text);
    const final = await client.responses.stream({ model: "quick", input: "hi", tools, tool_choice: "required" }).finalResponse();
    assert.equal(final.output[0].name, "weather");
  },
  async models() {
    const names = (await client.models.list()).data.map((m) => m.id);
    assert.ok(names.includes("prompt:triage") && names.includes("quick"));
  },
};

for (const [name, part] of Object.entries(parts)) {
  await part();
  console.log("javascript", name, "ok");
}
