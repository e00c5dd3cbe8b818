"""Model servers on this machine that speak the Messages API: looked for only when a person asks, on loopback alone, and never redirected.

The ports are those that Ollama, LM Studio, llama.cpp and vLLM document as their own.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PORTS: Mapping[int, str] = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM"}
_PATIENCE = 0.3
"""Seconds that a server of this machine gets for an answer; where none listens, the answer comes at once."""
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A server that listed its models; `kind` is what usually listens at its port."""

    kind: str
    url: str
    models: tuple[str, ...]

    def __str__(self) -> str:
        """Returns what to write into config.toml to use it."""
        model = json.dumps(self.models[0])
        return f'[messages] base_url = "{self.url}", with planner.model and implementer.model = {model}'


def local_servers(ports: Mapping[int, str] = PORTS) -> Iterator[LocalServer]:
    """Yields the servers that answer with models, in the order of the ports."""
    for port, kind in ports.items():
        if models := _models_at(port):
            yield LocalServer(kind=kind, url=f"http://127.0.0.1:{port}", models=models)


def _models_at(port: int) -> tuple[str, ...]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        link.request("GET", "/v1/models")
        answer = link.getresponse()
        listed = json.loads(answer.read(_LONGEST)) if answer.status == http.HTTPStatus.OK else {}
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        # Whatever else listens there is not what is looked for.
        return ()
    finally:
        link.close()
    data = listed.get("data") if isinstance(listed, dict) else None
    named = [each.get("id") for each in data if isinstance(each, dict)] if isinstance(data, list) else []
    return tuple(name for name in named if isinstance(name, str) and name)
