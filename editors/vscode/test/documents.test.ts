import { describe, expect, it } from "vitest";
import { commentLook, hasThreads } from "../src/comment-look";
import { taskLine } from "../src/task-line";
import { comment } from "./examples";

describe("a review comment", () => {
  it("is open at its words, or says that they are gone", () => {
    expect(commentLook(comment())).toMatchObject({ line: 2, label: "Open comment", isSettled: false });
    expect(commentLook(comment({ line: 0 }))).toMatchObject({ line: 0, label: "Open comment; its words are gone" });
  });

  it("shows what became of it once the planner has changed its words", () => {
    const look = commentLook(comment({ resolved: "text-gone", answer: "Under a second." }));
    expect(look).toMatchObject({ isSettled: true, label: "Answered: its words were changed" });
    expect(look.said.map((each) => each.text)).toEqual(["How fast?", "Under a second."]);
  });

  it("has a thread while it is open or was answered by a change", () => {
    expect(hasThreads([comment({ resolved: "manual" }), comment({ resolved: "text-gone" })])).toBe(false);
    expect(hasThreads([comment({ resolved: "text-gone", answer: "Done." })])).toBe(true);
  });
});

describe("the line of a task", () => {
  const text = "# Tasks\n\n- [x] 1. One\n  - [ ] 1.1 Part\n- [ ]* 2. Two (R1)\n- [ ] 12. Twelve";
  it.each([
    ["1", 2],
    ["1.1", 3],
    ["2", 4],
    ["12", 5],
    ["7", 0],
  ])("is found by its number: %s", (number, line) => {
    expect(taskLine(text, number)).toBe(line);
  });
});
