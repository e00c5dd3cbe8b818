import { describe, expect, it } from "vitest";
import { roots, type Node } from "../src/tree/nodes";
import { NOW, comment, need, progress, session, spectask, summary, task } from "./examples";

const DOCUMENT = { path: ".specs/x/design.md", digest: "93cf9ed0", approved_by: "", approved_in_advance: false, author: "planner" };

function texts(nodes: readonly Node[]): string[] {
  return nodes.map((each) => `${each.label} | ${each.description}`);
}

function children(node: Node | undefined): readonly Node[] {
  return node?.children ?? [];
}

describe("the SpecTasks tree", () => {
  it("shows documents with their review state, open comments among them", () => {
    const [node] = roots(
      [
        spectask({
          documents: [
            { ...DOCUMENT, name: "requirements", approval: "valid", approved_by: "Ada" },
            { ...DOCUMENT, name: "design", approval: "void" },
            { ...DOCUMENT, name: "tasks", approval: "missing", digest: "", path: "" },
          ],
          comments: [comment(), comment({ id: "d", resolved: "manual" })],
        }),
      ],
      NOW,
    );
    expect(texts(children(node))).toEqual([
      "requirements.md | approved",
      "design.md | changed since approval · 1 comment",
      "tasks.md | not written yet",
    ]);
  });

  it("tells of a task what its session does, and of one that waits what it waits for", () => {
    const ws = session({ id: "add-json-7k3f/ws-1", status: "waiting" });
    const [node] = roots(
      [
        spectask({
          total: 3,
          tasks: [
            task({ number: "1", state: "in_progress", session: ws.id }),
            task({ number: "2", why: "Waits for task 1.", depends: ["1", "3"] }),
            task({ number: "3", state: "merged", weak: true, session: "add-json-7k3f/ws-0" }),
          ],
          sessions: [ws],
        }),
      ],
      NOW,
    );
    const [tasks] = children(node).filter((each) => each.label === "Tasks");
    expect(texts(children(tasks))).toEqual(["1. Write it | waiting", "2. Write it | after 1", "3. Write it | merged, weakly"]);
  });

  it("lists planning and sessions, with what each asks", () => {
    const asks = session({
      id: "add-json-7k3f/ws-2",
      status: "waiting",
      attempt: 2,
      question: need({ text: "In which order?" }),
    });
    const planning = session({ id: "add-json-7k3f/plan-1", task: "", role: "planner", status: "completed" });
    const [node] = roots([spectask({ planning: [planning], sessions: [asks] })], NOW);
    const [sessions] = children(node).filter((each) => each.label === "Sessions");
    expect(texts(children(sessions))).toEqual(["plan-1 | planner · completed", "ws-2 | task 1 · waiting · attempt 2"]);
  });

  it("puts what ended under one node, but not what needs a person", () => {
    const failed = spectask({ id: "b", state: "failed", needs: [need({ kind: "resume", run: "", text: "It failed." })] });
    const nodes = roots([failed, spectask({ id: "a", state: "done" })], NOW);
    expect(nodes.map((each) => each.key)).toEqual(["b", "ended"]);
    expect(children(nodes[1]).map((each) => each.key)).toEqual(["a"]);
  });

  it("cuts titles so that the state beside them is seen", () => {
    const long = "Add a JSON view and a totals view to the list command";
    const [node] = roots([spectask({ prompt: long, tasks: [task({ title: long })] })], NOW);
    const [tasks] = children(node);
    for (const each of [node, ...children(tasks)]) expect(each?.label.length).toBeLessThanOrEqual(22);
    expect([node?.tooltip, children(tasks)[0]?.tooltip].every((each) => each?.includes(long))).toBe(true);
  });

  it("says which agent does not reason", () => {
    const [node] = roots([spectask({ label: "DEMO" })], NOW);
    expect(node?.description).toContain("DEMO");
  });

  it("leaves the parts of a SpecTask open that was not asked for yet", () => {
    const [node] = roots([summary({ state: "planning" })], NOW);
    expect([node?.children, node?.open]).toEqual([undefined, true]);
  });
});

describe("families in the tree", () => {
  it("shows a spawned session under the one that spawned it, by what it does", () => {
    const parent = session({ id: "add-json-7k3f/ws-1" });
    const child = session({ id: "add-json-7k3f/ws-2", task: "", parent: parent.id, work: "Write the manual\n\nAll of it." });
    const lost = session({ id: "add-json-7k3f/ws-3", task: "", parent: "add-json-7k3f/ws-9", work: "Test it" });
    const [node] = roots([spectask({ sessions: [parent, child, lost] })], NOW);
    const [group] = children(node).filter((each) => each.label === "Sessions");
    expect(children(group).map((each) => each.label)).toEqual(["ws-1", "ws-3"]);
    expect(texts(children(children(group)[0]))).toEqual([expect.stringMatching(/^ws-2 \| Write the manual · /)]);
  });
});

describe("progress in the tree", () => {
  it("says how far each is, and in the tip how long the rest takes and what a session does", () => {
    const far = progress({ percent: 47, left: "5 to 20 min left (a guess)" });
    const ws = session({ activity: "shell pytest -q", why: "The agent works; turn 2." });
    const [node, done] = roots(
      [spectask({ progress: far, sessions: [ws] }), spectask({ id: "a", state: "done", progress: progress({ percent: 100 }) })],
      NOW,
    );
    expect(node?.description).toBe("Implementing · 47 %");
    expect(node?.tooltip).toContain("5 to 20 min left (a guess)");
    expect(children(children(node).find((each) => each.label === "Sessions"))[0]?.tooltip).toContain("shell pytest -q");
    expect(children(done)[0]?.description).toBe("Done");
  });
});
