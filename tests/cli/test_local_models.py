"""Model servers on this machine are found where they are, and nothing else is taken for one."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest

from specthread.local_models import LocalServer, local_servers


@contextmanager
def answering(status, body, headers=()):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_server_with_models_is_found_and_says_what_to_write():
    body = json.dumps({"object": "list", "data": [{"id": "qwen3:8b"}, {"id": "llama3"}]}).encode()
    with answering(200, body) as port:
        (found,) = local_servers({port: "Ollama"})
    assert found == LocalServer(kind="Ollama", url=f"http://127.0.0.1:{port}", models=("qwen3:8b", "llama3"))
    assert str(found) == f'[messages] base_url = "http://127.0.0.1:{port}", with planner.model and implementer.model = "qwen3:8b"'


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>a blog</html>", ()),
        (200, b'{"data": {"id": "x"}}', ()),
        (200, b'{"data": [{"id": 4}, "x"]}', ()),
        (200, b"[" * 100_000, ()),
        (404, b'{"data": [{"id": "x"}]}', ()),
        (302, b"", [("location", "http://example.org/v1/models")]),
    ],
)
def test_what_else_listens_there_is_not_taken_for_one(status, body, headers):
    with answering(status, body, headers) as port:
        assert list(local_servers({port: "vLLM"})) == []


def test_the_doctor_looks_only_when_asked(program):
    names = [finding["name"] for finding in program("doctor", "--json").json["findings"]]
    assert "local model" not in names
    said = program("doctor", "--local", "--json").json["findings"][-1]
    assert said["name"] == "local model"
