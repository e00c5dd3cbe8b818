import { describe, expect, it } from "vitest";
import { chosenRun, chosenSpectask } from "../src/choice";
import { spectask } from "./examples";

const NONE = "No SpecTask is approved.";
const approved = spectask({ id: "a", state: "approved" });
const other = spectask({ id: "b", state: "approved" });
const going = spectask({ id: "c", state: "implementing", why: "Two sessions are at work." });
const fits = (each: { state: string }): boolean => each.state === "approved";

describe("which SpecTask is meant", () => {
  it("is the one whose document is in front", () => {
    expect(chosenSpectask(approved, [approved, other], fits, NONE)).toEqual({ one: approved });
  });

  it("is never another one than that silently: it is refused, with its name and why", () => {
    expect(() => chosenSpectask(going, [approved, going], fits, NONE)).toThrow(/belongs to c, .* Two sessions are at work\. For another/);
  });

  it("is the only one that is fit, or is to be chosen among them", () => {
    expect(chosenSpectask(undefined, [approved, going], fits, NONE)).toEqual({ one: approved });
    expect(chosenSpectask(undefined, [approved, other, going], fits, NONE)).toEqual({ among: [approved, other] });
    expect(() => chosenSpectask(undefined, [going], fits, NONE)).toThrow(NONE);
  });
});

describe("which session is meant", () => {
  const one = { spectask: { id: "a" }, run: "a/ws-1" };
  const two = { spectask: { id: "b" }, run: "b/ws-1" };

  it("is one of the SpecTask in front, and one of another is shown before anything happens to it", () => {
    expect(chosenRun("a", [one, two], NONE)).toEqual({ one });
    expect(chosenRun("a", [two], NONE)).toEqual({ among: [two] });
    expect(chosenRun(undefined, [two], NONE)).toEqual({ one: two });
    expect(() => chosenRun("a", [], NONE)).toThrow(NONE);
  });
});
