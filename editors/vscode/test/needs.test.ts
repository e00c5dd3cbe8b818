import { describe, expect, it } from "vitest";
import { isNews, needsOf, notified, statusText } from "../src/needs";
import { need, session, spectask } from "./examples";

describe("what needs a person", () => {
  it("offers the choices of a question, and words of one's own", () => {
    const [asked] = needsOf(spectask({ needs: [need({ choices: ["by name", "by time"] })] }));
    expect(asked?.who).toBe("ws-2 asks:");
    expect(asked?.actions.map((each) => each.label)).toEqual(["by name", "by time", "Answer…"]);
    expect(asked?.actions[0]).toMatchObject({ command: "specthread.answer", argument: { run: "add-json-7k3f/ws-2", text: "by name" } });
  });

  it("names the question that was read with every answer to it", () => {
    const [asked] = needsOf(spectask({ needs: [need({ choices: ["by name"], question: "q-7" })] }));
    expect(asked?.actions.map((each) => each.argument.question)).toEqual(["q-7", "q-7"]);
  });

  it("lets a question be answered that no run of ours asks", () => {
    const outside = need({ run: "", text: "Claude asks: Tabs?", choices: ["yes"], question: "q-1" });
    const [asked] = needsOf(spectask({ needs: [outside] }));
    expect(asked?.who).toBe("");
    expect(asked?.actions.map((each) => each.argument)).toEqual([
      { id: "add-json-7k3f", question: "q-1", text: "yes" },
      { id: "add-json-7k3f", question: "q-1" },
    ]);
  });

  it("offers in a notification the whole question first, and never an answer as the one to press", () => {
    const [asked] = needsOf(spectask({ needs: [need({ choices: ["a", "b", "c", "d", "e"] })] }));
    expect(asked && notified(asked).map((each) => each.label)).toEqual(["Answer…", "a", "b", "c"]);
  });

  it("comes as a notification unless the person has just brought it about", () => {
    expect(isNews(spectask(), "question")).toBe(true);
    expect(isNews(spectask(), "run")).toBe(false);
    expect(isNews(spectask({ in_advance: true }), "run")).toBe(true);
    expect(isNews(spectask({ paused: true }), "resume")).toBe(false);
  });

  it("is the same need while the person edits, and another when the planner has written again", () => {
    const review = { needs: [need({ kind: "review", run: "", text: "To be approved: design." })] };
    const key = (values: object): string | undefined => needsOf(spectask({ ...review, ...values }))[0]?.key;
    expect(key({ planning: [session()], updated: "2026-01-02T10:00:00Z" })).toBe(key({ planning: [session()] }));
    expect(key({ planning: [session(), session()] })).not.toBe(key({ planning: [session()] }));
  });

  it.each(["question", "permission", "budget", "review", "run", "accept", "retry", "resume"] as const)(
    "can be ended by a button: %s",
    (kind) => {
      expect(needsOf(spectask({ needs: [need({ kind })] }))[0]?.actions).not.toEqual([]);
    },
  );

  it("names at most one button as the thing to do", () => {
    const kinds = ["question", "review", "run", "accept", "retry", "resume", "trouble"] as const;
    for (const each of needsOf(spectask({ needs: kinds.map((kind) => need({ kind })) }))) {
      expect(each.actions.filter((action) => action.primary).length).toBeLessThanOrEqual(1);
    }
  });
});

describe("the status bar", () => {
  it.each([
    [[], ""],
    [[{ state: "implementing", needs: [], running: 2 }], "2 running"],
    [[{ state: "implementing", needs: [1], running: 2 }], "2 running · 1 needs you"],
    [[{ state: "spec_review", needs: [1, 2], running: 0 }], "2 need you"],
  ])("adds up %j", (spectasks, text) => {
    expect(statusText(spectasks)).toBe(text);
  });
});
