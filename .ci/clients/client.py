"""OpenAI's own client for Python, unmodified, against llmx serve: URL LOG in the arguments."""

import asyncio
import json
import math
import re
import sys
import time
import urllib.request
from typing import Literal

import openai
from pydantic import BaseModel

url, log = sys.argv[1:3]
client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=2)
asked = [{"role": "user", "content": "I was charged twice, fix it NOW"}]


class Label(BaseModel):
    label: Literal["billing", "bug", "account", "other"]
    urgency: int


def logged(request_id):
    """The line that the server logged for a request; it comes a moment after its end."""
    for _ in range(100):
        lines = [line for line in open(log) if f"id={request_id}" in line]
        if lines:
            return lines[0]
        time.sleep(0.02)
    raise AssertionError(f"{request_id} is not in the log")


def waits_for(text):
    for _ in range(100):
        if text in open(log).read():
            return
        time.sleep(0.02)
    raise AssertionError(f"{text} is not in the log")


def chat():
    answer = client.chat.completions.with_raw_response.create(model="quick", messages=asked, temperature=0, max_tokens=50)
    assert answer.headers["x-request-id"] and answer.headers["x-llmx-attempts"] == "1", answer.headers
    parsed = answer.parse()
    assert parsed.choices[0].message.content and parsed.choices[0].finish_reason == "stop", parsed
    assert parsed.usage.total_tokens == parsed.usage.prompt_tokens + parsed.usage.completion_tokens > 0
    assert "status=200" in logged(answer.headers["x-request-id"])


def streaming():
    pieces, usage, finish = [], None, None
    for chunk in client.chat.completions.create(model="main", messages=asked, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            finish = choice.finish_reason or finish
    assert len(pieces) > 2 and finish == "stop" and usage.total_tokens > 0, (pieces, finish, usage)
    whole = client.chat.completions.create(model="main", messages=asked).choices[0].message.content
    assert "".join(pieces) == whole, (pieces, whole)


weather = {
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "required": ["city"], "additionalProperties": False, "properties": {"city": {"type": "string"}}},
}


def tools():
    tool = {"type": "function", "function": weather}
    answer = client.chat.completions.create(model="quick", messages=asked, tools=[tool], tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]
    assert answer.choices[0].finish_reason == "tool_calls" and call.function.name == "weather", answer
    assert isinstance(json.loads(call.function.arguments)["city"], str)
    thread = asked + [answer.choices[0].message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    assert client.chat.completions.create(model="quick", messages=thread, tools=[tool], tool_choice="none").choices[0].message.content
    with client.chat.completions.stream(model="quick", messages=asked, tools=[tool], tool_choice="required") as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == "weather", final


def structured_output():
    answer = client.chat.completions.parse(model="quick", messages=asked, response_format=Label)
    assert isinstance(answer.choices[0].message.parsed, Label), answer
    assert json.loads(client.chat.completions.create(model="quick", messages=asked, response_format={"type": "json_object"}).choices[0].message.content) is not None


def prompts():
    answer = client.chat.completions.create(model="prompt:triage", messages=[], extra_body={"prompt": {"variables": {"ticket": "I was charged twice"}}})
    assert json.loads(answer.choices[0].message.content)["label"] in Label.model_fields["label"].annotation.__args__, answer
    response = client.responses.create(prompt={"id": "triage", "variables": {"ticket": "I was charged twice"}})
    assert json.loads(response.output_text)["label"], response
    refused(openai.BadRequestError, "messages", lambda: client.chat.completions.create(model="prompt:triage", messages=asked))
    refused(openai.BadRequestError, "prompt.variables", lambda: client.chat.completions.create(model="prompt:triage", messages=[]))


def embeddings():
    answer = client.embeddings.create(model="quick", input=["one text", "another", "one text"])
    vectors = [e.embedding for e in answer.data]
    assert len(vectors) == 3 and vectors[0] == vectors[2] != vectors[1] and all(isinstance(x, float) for x in vectors[0]), vectors
    plain = client.embeddings.create(model="quick", input="one text", encoding_format="float")
    assert all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(plain.data[0].embedding, vectors[0], strict=True))  # float32s, in two forms


def images():
    dot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": dot}}]
    assert client.chat.completions.create(model="quick", messages=[{"role": "user", "content": parts}]).choices[0].message.content


def refused(kind, param, ask):
    try:
        ask()
    except kind as e:
        assert e.request_id and e.param == param, (e.param, e.body)
        return e
    raise AssertionError(f"no {kind.__name__}")


def errors():
    refused(openai.NotFoundError, "model", lambda: client.chat.completions.create(model="nobody", messages=asked))
    refused(openai.BadRequestError, "messages[0].role", lambda: client.chat.completions.create(model="quick", messages=[{"role": "nobody", "content": ""}]))
    refused(openai.BadRequestError, "n", lambda: client.chat.completions.create(model="quick", messages=asked, n=2))
    refused(openai.BadRequestError, "previous_response_id", lambda: client.responses.create(model="quick", input="hi", previous_response_id="resp_1"))
    before = open(log).read().count("model=broken")
    e = refused(openai.APIStatusError, None, lambda: client.chat.completions.create(model="broken", messages=asked))
    assert e.status_code >= 429 and e.response.headers["x-should-retry"] == "false", e.response.headers
    logged(e.request_id)
    assert open(log).read().count("model=broken") == before + 1, "the client asked again, and multiplied our retries"
    try:
        for _ in client.chat.completions.create(model="broken", messages=asked, stream=True):
            raise AssertionError("a piece of nothing")
    except openai.APIStatusError:
        pass


def timeouts():
    try:
        client.with_options(timeout=0.3, max_retries=0).chat.completions.create(model="slow", messages=asked)
        raise AssertionError("no timeout")
    except openai.APITimeoutError:
        waits_for("status=499")


def cancellation():
    before = open(log).read().count("status=499")

    async def leave():
        async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="none", max_retries=0) as left:
            asking = asyncio.create_task(left.chat.completions.create(model="slow", messages=asked, stream=True))
            for _ in range(250):  # until it is under way, beside the request of the metrics
                metrics = await asyncio.to_thread(lambda: urllib.request.urlopen(url + "/metrics").read().decode())
                if "\nllmx_requests_in_flight 2\n" in metrics:
                    break
                await asyncio.sleep(0.02)
            asking.cancel()
            try:
                await asking
            except asyncio.CancelledError:
                return
            raise AssertionError("it was answered")

    asyncio.run(leave())
    for _ in range(100):
        if open(log).read().count("status=499") > before:
            return
        time.sleep(0.02)
    raise AssertionError("the call went on after the client had left")


def responses():
    answer = client.responses.create(model="quick", input="hi", instructions="Be kind.", max_output_tokens=50, temperature=0)
    assert answer.output_text and answer.status == "completed" and answer.usage.total_tokens > 0, answer
    kinds, text = [], ""
    for event in client.responses.create(model="quick", input=[{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}], stream=True):
        kinds.append(event.type)
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type == "response.completed":
            assert event.response.output_text == text != "", event
    assert kinds[:2] == ["response.created", "response.in_progress"] and kinds[-1] == "response.completed", kinds
    tool = {"type": "function", "strict": True} | weather
    answer = client.responses.create(model="quick", input="hi", tools=[tool], tool_choice="required")
    call = answer.output[0]
    assert call.type == "function_call" and json.loads(call.arguments)["city"] is not None, answer
    thread = [{"role": "user", "content": "hi"}, call.model_dump(exclude_none=True), {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}]
    assert client.responses.create(model="quick", input=thread).output_text
    with client.responses.stream(model="quick", input="hi", tools=[tool], tool_choice="required") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output[0].name == "weather"
    assert isinstance(client.responses.parse(model="quick", input="hi", text_format=Label).output_parsed, Label)


def models():
    names = [m.id for m in client.models.list()]
    assert {"quick", "main", "prompt:triage"} <= set(names), names
    assert client.models.retrieve("prompt:triage").owned_by == "prompt"


for part in (chat, streaming, tools, structured_output, prompts, embeddings, images, errors, timeouts, cancellation, responses, models):
    part()
    print("python", openai.__version__, part.__name__, "ok")
assert not re.search("panic|level=ERROR.*status=500", open(log).read()), "the log has a bug of ours"
