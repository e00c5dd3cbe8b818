"""A real agent over ACP whose words are a script: `python fake_acp_agent.py SCRIPT`, a JSON file. Every message it gets goes to the `log` that it names.

`turns` is one list of steps for each prompt, the last one repeats; `turn_file` remembers over restarts how many there were. Steps are tables with one key: `say`, `think`,
`call` (an update of a tool call), `update` (any), `ask` (a tool call to ask leave for; `then` is done where it is given, else `otherwise`), `write`, `copy` and `link` (a path),
`raw` (a line), `note` (on the error output), `wait_for` (a file), `die` (an exit code), `hang`, `stop` (ends the turn with that reason, `usage` beside it), `after` (steps
that come only once the turn is over). `early` are updates sent before the session is answered, `can` the capabilities, `refuse_load` and `fail_new` errors for answers.
When its conversation is loaded, it says what it said `loaded` times again, and asks leave for `ask_loading`.
"""

import json
import os
import sys
import time
from pathlib import Path


class FakeAgent:
    def __init__(self, script):
        self.script = script
        self.number = 0

    def send(self, **message):
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")

    def flush(self):
        sys.stdout.flush()

    def update(self, update, session="s-1"):
        self.send(method="session/update", params={"sessionId": session, "update": update})

    def receive(self):
        line = sys.stdin.readline()
        if not line:
            sys.exit(0)
        if log := self.script.get("log"):
            with Path(log).open("a") as file:
                file.write(line)
        return json.loads(line)

    def serve(self):
        for line in self.script.get("greeting", ()):
            sys.stdout.write(line + "\n")
        self.flush()
        while True:
            message = self.receive()
            answer = getattr(self, message["method"].replace("/", "_"))(message["params"])
            if "result" in answer or "error" in answer:
                self.send(id=message["id"], **answer)
            self.perform(answer.get("after", ()))
            self.flush()

    def initialize(self, params):
        if self.script.get("hang_at_start"):
            time.sleep(600)
        return {"result": {"protocolVersion": self.script.get("version", 1), "agentCapabilities": self.script.get("can", {})}}

    def session_new(self, params):
        for update in self.script.get("early", ()):
            self.update(update)
        if error := self.script.get("fail_new"):
            return {"error": error}
        return {"result": {"sessionId": "s-1"}}

    def session_load(self, params):
        if self.script.get("refuse_load"):
            return {"error": {"code": -32603, "message": "no such session"}}
        for _ in range(self.script.get("loaded", 1)):
            self.update({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "what it said long ago"}})
        if "ask_loading" in self.script:
            self.do_ask(self.script["ask_loading"], {})
        return {"result": {}}

    def session_prompt(self, params):
        turns = self.script["turns"]
        done = self.turn()
        return self.perform(turns[min(done, len(turns) - 1)]) or {"result": {"stopReason": "end_turn"}}

    def turn(self):
        file = self.script.get("turn_file")
        if file:
            self.number = int(Path(file).read_text()) if Path(file).exists() else 0
            Path(file).write_text(str(self.number + 1))
            return self.number
        self.number += 1
        return self.number - 1

    def perform(self, steps):
        after = []
        for step in steps:
            kind = next(iter(step))
            if kind == "after":
                after = step["after"]
            elif kind == "stop":
                usage = {"usage": step["usage"]} if "usage" in step else {}
                return {"result": {"stopReason": step["stop"], **usage}, "after": after}
            else:
                getattr(self, f"do_{kind}")(step[kind], step)
        return {"result": {"stopReason": "end_turn"}, "after": after}

    def do_say(self, text, step):
        self.update({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}})

    def do_think(self, text, step):
        self.update({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": text}})

    def do_call(self, call, step):
        self.update({"sessionUpdate": step.get("as", "tool_call"), **call})

    def do_update(self, update, step):
        self.update(update)

    def do_ask(self, call, step):
        options = [
            {"optionId": f"id-{kind}", "name": kind, "kind": kind}
            for kind in step.get("options", ("allow_always", "allow_once", "reject_once"))
        ]
        self.send(id="leave", method="session/request_permission", params={"sessionId": "s-1", "toolCall": call, "options": options})
        self.flush()
        answer = self.receive()
        if answer["result"]["outcome"].get("optionId", "").startswith("id-allow"):
            self.perform(step.get("then", ()))
        else:
            self.perform(step.get("otherwise", ()))

    def do_write(self, path, step):
        Path(path).write_text(step["text"])

    def do_copy(self, path, step):
        Path(step["to"]).write_bytes(Path(path).read_bytes())

    def do_link(self, path, step):
        Path(path).symlink_to(step["to"])

    def do_raw(self, line, step):
        sys.stdout.write(line + "\n")

    def do_note(self, text, step):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def do_wait_for(self, path, step):
        self.flush()
        while not Path(path).exists():
            time.sleep(0.02)

    def do_die(self, code, step):
        self.flush()
        os._exit(code)

    def do_hang(self, seconds, step):
        self.flush()
        time.sleep(seconds)


if __name__ == "__main__":
    FakeAgent(json.loads(Path(sys.argv[1]).read_text())).serve()
