import { describe, expect, it } from "vitest";
import type { TraceRowView } from "../../protocol";
import { tracePage } from "../src/trace";

const row = (values: Partial<TraceRowView>): TraceRowView => ({
  kind: "criterion",
  id: "1.1",
  title: "THE tool SHALL print it.",
  document: "requirements",
  line: 9,
  tasks: [],
  properties: [],
  sessions: [],
  commits: [],
  code: [],
  tests: [],
  gaps: [],
  criteria: [],
  ...values,
});
const page = (...requirements: TraceRowView[]): string => tracePage({ spec: "add-json-7k3f", requirements, gaps: 1, passed_over: 0 });

describe("the page of a trace", () => {
  it("has a row for each criterion, and says what is missing", () => {
    const built = row({
      tasks: [{ id: "2", title: "Print", state: "in_progress", line: 3 }],
      commits: [{ oid: "0123456789abcdef", subject: "Print", session: "" }],
      code: [{ path: "src/a.py", line: 4, text: "", sure: true }],
      gaps: ["no-test"],
    });
    const text = page(row({ kind: "requirement", id: "1", criteria: [built, row({ id: "1.2", gaps: ["no-task", "no-test"] })] }));
    expect(text).toContain("1 gap.");
    expect(text).toContain("| 1.1 THE tool SHALL print it. | 2 (in progress) | `0123456789ab` | `src/a.py:4` | **no test** |");
    expect(text).toContain("| 1.2 THE tool SHALL print it. | **no task** |  |  | **no test** |");
    expect(text).not.toContain("| 1 THE");
  });

  it("shows the first places, and only those that are sure", () => {
    const tests = [1, 2, 3, 4, 5].map((line) => ({ path: "t.py", line, text: "", sure: line !== 2 }));
    expect(page(row({ tests }))).toContain("| `t.py:1`, `t.py:3`, `t.py:4`, 1 more |");
  });

  it("keeps words that would end a cell", () => {
    expect(page(row({ title: "a | b\nc" }))).toContain("| 1.1 a \\| b c |");
  });

  it("says that there is nothing yet", () => {
    expect(page()).toContain("Nothing is required yet.");
  });
});
