// How states, money, ages and names are told: one way everywhere.

import type { SessionView, SpecTaskSummary, TaskView } from "../../protocol";

/** The colour family of a state; each has a shape of its own beside it. */
export type Tone = "idle" | "live" | "verify" | "wait" | "ok" | "merged" | "fail" | "stuck";

export interface Look {
  word: string;
  tone: Tone;
  /** A codicon. */
  icon: string;
}

const look = (word: string, tone: Tone, icon: string): Look => ({ word, tone, icon });

const SPECTASK: Record<string, Look> = {
  backlog: look("Backlog", "idle", "circle-large-outline"),
  planning: look("Planning", "live", "edit"),
  spec_review: look("Spec review", "wait", "eye"),
  revising: look("Revising", "live", "edit"),
  approved: look("Approved", "ok", "pass"),
  implementing: look("Implementing", "live", "sync"),
  implementation_review: look("Final review", "wait", "eye"),
  done: look("Done", "ok", "pass-filled"),
  failed: look("Failed", "fail", "error"),
  cancelled: look("Cancelled", "idle", "circle-slash"),
  archived: look("Archived", "idle", "archive"),
};

const RUN: Record<string, Look> = {
  pending: look("Pending", "idle", "circle-large-outline"),
  starting: look("Starting", "live", "loading~spin"),
  running: look("Running", "live", "loading~spin"),
  waiting: look("Waiting", "wait", "question"),
  paused: look("Paused", "idle", "debug-pause"),
  verifying: look("Verifying", "verify", "beaker"),
  merging: look("Merging", "merged", "git-merge"),
  completed: look("Completed", "ok", "pass"),
  failed: look("Failed", "fail", "error"),
  stuck: look("Stuck", "stuck", "warning"),
  cancelled: look("Cancelled", "idle", "circle-slash"),
  interrupted: look("Interrupted", "idle", "debug-disconnect"),
};

const TASK: Record<string, Look> = {
  open: look("Open", "idle", "circle-large-outline"),
  in_progress: look("In progress", "live", "loading~spin"),
  claimed: look("To be verified", "verify", "beaker"),
  verified: look("Verified", "ok", "pass"),
  merged: look("Merged", "merged", "git-merge"),
  blocked: look("Blocked", "idle", "lock"),
  skipped: look("Skipped", "idle", "debug-step-over"),
};

const UNKNOWN = look("Unknown", "idle", "circle-large-outline");

export function spectaskLook(spectask: Pick<SpecTaskSummary, "state"> & { paused?: boolean }): Look {
  if (spectask.paused && !["done", "cancelled", "failed", "archived"].includes(spectask.state))
    return look("Paused", "idle", "debug-pause");
  return SPECTASK[spectask.state] ?? UNKNOWN;
}

export function runLook(session: Pick<SessionView, "status" | "merged">): Look {
  if (session.merged) return look("Merged", "merged", "git-merge");
  return RUN[session.status] ?? UNKNOWN;
}

/** A task looks like the session that works on it, as long as one does. */
export function taskLook(task: Pick<TaskView, "state" | "session">, sessions: readonly SessionView[] = []): Look {
  const session = sessions.find((each) => each.id === task.session);
  if (session && !["merged", "skipped"].includes(task.state) && session.status !== "completed") return runLook(session);
  return TASK[task.state] ?? UNKNOWN;
}

/** The first line of what was asked for, without a full stop. */
export function title(spectask: Pick<SpecTaskSummary, "prompt">): string {
  return (spectask.prompt.trim().split("\n")[0] ?? "").replace(/\.$/, "");
}

/** `ws-1` of `add-json-7k3f/ws-1`. */
export function shortRun(run: string): string {
  return run.slice(run.lastIndexOf("/") + 1);
}

/** `add-json-7k3f` of `add-json-7k3f/ws-1`. */
export function spectaskOf(run: string): string {
  return run.slice(0, run.lastIndexOf("/"));
}

export function money(usd: string): string {
  return `$${Number(usd).toFixed(2)}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** How long ago, in the shortest words. */
export function age(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The text, no longer than `length`. */
export function cut(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}

/** `2 of 4 merged`, or which documents there are so far. */
export function progressText(spectask: SpecTaskSummary): string {
  if (spectask.total === 0) return "no tasks yet";
  const skipped = spectask.skipped ? `, ${spectask.skipped} skipped` : "";
  return `${spectask.merged} of ${spectask.total} merged${skipped}`;
}

/** `47 %` of one that goes on; what ended says so by its state. */
export function percentText(spectask: SpecTaskSummary): string {
  return ["done", "failed", "cancelled", "archived"].includes(spectask.state) ? "" : `${spectask.progress.percent} %`;
}

const START = "start it when you like";

/** The sentence without what to type into a terminal: here a button does it. Nothing is left of one that was nothing else. */
export function withoutCommands(text: string): string {
  const parts = text.split(/(?<=[.;:—])\s/).map((part) => (part.includes("`specthread run ") ? `${START}.` : part));
  const kept = parts
    .filter((part) => !part.includes("`specthread "))
    .join(" ")
    .replace(/[\s;:—]+$/, "");
  if (!kept) return "";
  const sentence = kept.startsWith(START) ? START.charAt(0).toUpperCase() + kept.slice(1) : kept;
  return /[.?!…]$/.test(sentence) ? sentence : `${sentence}.`;
}
