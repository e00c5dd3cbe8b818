"""A Messages API on loopback for agents that are programs: whoever offers a tool to write files is told to write one, then that all is done."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {"input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def reply_to(body, path, text):
    """Returns the blocks and the stop reason of an answer."""
    last = body["messages"][-1]["content"]
    if isinstance(last, list) and any(block.get("type") == "tool_result" for block in last):
        return [{"type": "text", "text": "The file is written."}], "end_turn"
    for tool in body.get("tools") or ():
        if tool.get("name") in {"Write", "write"}:
            keys = tool["input_schema"]["properties"]
            key = next(name for name in ("file_path", "filePath", "path") if name in keys)
            return [{"type": "tool_use", "id": "toolu_1", "name": tool["name"], "input": {key: path, "content": text}}], "tool_use"
    return [{"type": "text", "text": "ok"}], "end_turn"


def events_of(message, blocks, stop):
    """Yields the events of a stream, as name and value."""
    yield "message_start", {"message": message}
    for index, block in enumerate(blocks):
        given = json.dumps(block.get("input", {}))
        delta = (
            {"type": "text_delta", "text": block["text"]}
            if block["type"] == "text"
            else {"type": "input_json_delta", "partial_json": given}
        )
        start = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        yield "content_block_start", {"index": index, "content_block": start}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    yield "message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": USAGE}
    yield "message_stop", {}


class FakeClaudeApi:
    """Serves while it is entered; `path` and `text` are the file it has written, `asked` the requests it got."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.asked = []

    def __enter__(self):
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def give(self, kind, content):
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self):
                self.give("application/json", b'{"data": []}')

            def do_HEAD(self):
                self.do_GET()

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                api.asked.append((self.path, self.headers, body))
                if "count_tokens" in self.path or not body.get("messages"):
                    return self.give("application/json", b'{"input_tokens": 10}')
                blocks, stop = reply_to(body, api.path, api.text)
                message = {
                    "id": "msg_1",
                    "type": "message",
                    "role": "assistant",
                    "model": body.get("model"),
                    "content": [],
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": USAGE,
                }
                if not body.get("stream"):
                    return self.give("application/json", json.dumps({**message, "content": blocks, "stop_reason": stop}).encode())
                lines = (
                    f"event: {name}\ndata: {json.dumps({'type': name, **value})}\n\n" for name, value in events_of(message, blocks, stop)
                )
                return self.give("text/event-stream", "".join(lines).encode())

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"
