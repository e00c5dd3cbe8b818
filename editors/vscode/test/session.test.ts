import { describe, expect, it } from "vitest";
import type { EventView, TranscriptResult } from "../../protocol";
import { concerns, head } from "../src/panels/session-model";
import { NOW, session } from "./examples";

function event(payload: Record<string, unknown>, spectask = "add-json-7k3f"): EventView {
  return { seq: 1, instance: "i", spectask, time: "", actor: "", kind: "", payload, text: "" };
}

function transcript(values: Parameters<typeof session>[0] = {}): TranscriptResult {
  return { session: session(values), title: "Write it", label: "", entries: [], seq: 1, more: false };
}

const AROUND = { isHeld: false, offline: "", now: NOW };

describe("a session tab", () => {
  it("follows what names its run, and what happens to the whole SpecTask", () => {
    const run = "add-json-7k3f/ws-1";
    expect(concerns(event({ run }), run)).toBe(true);
    expect(concerns(event({}), run)).toBe(true);
    expect(concerns(event({ run: "add-json-7k3f/ws-2" }), run)).toBe(false);
    expect(concerns(event({}, "other"), run)).toBe(false);
  });

  it("is paused with its SpecTask, and resumes that", () => {
    expect(head(transcript(), { ...AROUND, isHeld: true })).toMatchObject({ look: { word: "Paused" }, resumes: "add-json-7k3f" });
    expect(head(transcript({ status: "paused" }), AROUND).resumes).toBe("add-json-7k3f/ws-1");
    expect(head(transcript({ completed: "2026-01-02T09:00:00Z", status: "completed" }), { ...AROUND, isHeld: true }).resumes).toBe("");
  });

  it("says when nobody can be asked", () => {
    expect(head(transcript(), { ...AROUND, offline: "The daemon was stopped." }).offline).toBe("The daemon was stopped.");
  });
});
