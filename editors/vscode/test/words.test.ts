import { describe, expect, it } from "vitest";
import { age, cut, money, taskLook, title, withoutCommands } from "../src/words";
import { NOW, session, summary, task } from "./examples";

describe("words", () => {
  it.each([
    ["Waits for your approval of design: `specthread review add-7k3f`.", "Waits for your approval of design."],
    ["Approved; `specthread run add-7k3f` starts the work.", "Approved; start it when you like."],
    ['Waits for your answer: In which order? — `specthread answer x/ws-2 "…"`.', "Waits for your answer: In which order?"],
    ["ws-2 stuck: the same test fails. `specthread retry x/ws-2` tries again.", "ws-2 stuck: the same test fails."],
    ["Two sessions are at work.", "Two sessions are at work."],
    ["Waits for `specthread run x`.", "Start it when you like."],
    ["`specthread doctor` says more.", ""],
  ])("keeps of %j what a person in an editor can use", (sentence, kept) => {
    expect(withoutCommands(sentence)).toBe(kept);
  });

  it("tells ages in one word", () => {
    const ago = (seconds: number): string => age(new Date(NOW - seconds * 1000).toISOString(), NOW);
    expect([ago(5), ago(185), ago(7300), ago(200_000), ago(-20)]).toEqual(["now", "3 min", "2 h", "2 d", "now"]);
  });

  it("takes the first line of what was asked for as its title", () => {
    expect(title(summary({ prompt: "\n Add JSON.\nAnd more." }))).toBe("Add JSON");
  });

  it("cuts at the end, and tells money with two digits", () => {
    expect([cut("a  b\nc", 10), cut("abcdef", 4), money("0.125")]).toEqual(["a b c", "abc…", "$0.13"]);
  });

  it("shows a task as its session while one works, and as itself afterwards", () => {
    const ws = session({ status: "stuck" });
    expect(taskLook(task({ state: "in_progress", session: ws.id }), [ws]).word).toBe("Stuck");
    expect(taskLook(task({ state: "merged", session: ws.id }), [ws]).word).toBe("Merged");
  });
});
