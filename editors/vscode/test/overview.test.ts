import { describe, expect, it } from "vitest";
import { overview } from "../src/panels/overview-model";
import { NOW, need, progress, session, spectask, task } from "./examples";

const ABOUT = { liveness: { kind: "live" } as const, loaded: true, trusted: true, running: 0, now: NOW };

describe("the overview", () => {
  it("groups SpecTasks by what goes on, and leaves out what is empty", () => {
    const found = overview([spectask({ id: "a", state: "done" }), spectask({ id: "b" }), spectask({ id: "c", state: "revising" })], ABOUT);
    expect(found.groups.map((group) => [group.name, group.cards.map((card) => card.id)])).toEqual([
      ["Implementing", ["b"]],
      ["Planning", ["c"]],
      ["Ended", ["a"]],
    ]);
  });

  it("draws one segment per task and says the same in words", () => {
    const waiting = session({ id: "s/ws-2", status: "waiting" });
    const tasks = [
      task({ state: "merged" }),
      task({ number: "2", state: "in_progress", session: waiting.id }),
      task({ number: "3" }),
      task({ number: "4", state: "skipped" }),
    ];
    const [group] = overview(
      [
        spectask({
          tasks,
          sessions: [waiting],
          total: 4,
          merged: 1,
          skipped: 1,
          progress: progress({ percent: 47, left: "5 to 20 min left (a guess)" }),
        }),
      ],
      ABOUT,
    ).groups;
    expect(group?.cards[0]).toMatchObject({
      segments: ["merged", "wait", "open", "skipped"],
      spoken: "1 merged, 1 waiting, 1 open, 1 skipped",
      progress: "47 % · 1 of 4 merged, 1 skipped · 5 to 20 min left (a guess)",
      spent: "$0.00 of $50",
    });
  });

  it("lists every need with the SpecTask it belongs to", () => {
    const found = overview([spectask({ needs: [need(), need({ kind: "run", run: "" })] })], ABOUT);
    expect(found.needs.map((each) => [each.who, each.title, each.age])).toEqual([
      ["ws-2 asks:", "Add a JSON view", "5 min"],
      ["", "Add a JSON view", "5 min"],
    ]);
  });

  it("says once what waits for the person", () => {
    const [asking] = overview([spectask({ needs: [need()] })], ABOUT).groups;
    const [working] = overview([spectask()], ABOUT).groups;
    expect([asking?.cards[0]?.why, working?.cards[0]?.why]).toEqual(["", "Two sessions are at work."]);
  });

  it("adds up what everything cost", () => {
    expect(overview([spectask({ cost_usd: "1.20" }), spectask({ cost_usd: "0.05" })], ABOUT).spent).toBe("$1.25");
    expect(overview([spectask({ cost_usd: "1.20" }), spectask({ unknown_calls: 2 })], ABOUT).spent).toBe("$1.20 + unknown");
  });
});
