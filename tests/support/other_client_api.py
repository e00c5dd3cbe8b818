"""A Messages API on loopback for programs of other people, which use more of it than ours does: no schema is asked for, and the script is a list of turns."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.fake_messages_api import Line, events, say


@contextmanager
def other_client_api(turns):
    """Yields the address of a model that plays `turns` one after the other, then says that it is done, and what it was told of each tool's result."""
    left, heard, ids = list(turns), {}, itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """Says nothing."""

        def do_HEAD(self):
            self._give({})

        def do_GET(self):
            self._give({"data": []})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            if not self.path.partition("?")[0].endswith("/v1/messages") or not body.get("stream"):
                self._give({"input_tokens": 10, "content": [say("ok")], "role": "assistant", "type": "message", "stop_reason": "end_turn"})
                return
            said = [block for message in body["messages"] if isinstance(message["content"], list) for block in message["content"]]
            heard.update({block["tool_use_id"]: block for block in said if block.get("type") == "tool_result"})
            offered = {tool.get("name") for tool in body.get("tools") or []}
            content = left.pop(0) if left and left[0]["name"] in offered else say("Done.")
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for event in events(Line(when="", content=(content,)), body["model"], ids):
                self.wfile.write(event)
            self.close_connection = True

        def _give(self, value):
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
