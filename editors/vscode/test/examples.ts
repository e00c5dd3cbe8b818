// Views as the daemon sends them, with what a test is about filled in.

import type { CommentView, NeedView, ProgressView, SessionView, SpecTaskSummary, SpecTaskView, TaskView } from "../../protocol";
import type { SpecTask } from "../src/store";

const TIME = "2026-01-02T09:00:00Z";
export const NOW = Date.parse("2026-01-02T09:05:00Z");
const SPEND = {
  calls: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost_usd: "0",
  reserved_usd: "0",
  unknown_calls: 0,
  cache_read: 0,
  cache_write: 0,
};

export function summary(values: Partial<SpecTaskSummary> = {}): SpecTaskSummary {
  return {
    id: "add-json-7k3f",
    prompt: "Add a JSON view.",
    repository: "/home/ada/hours",
    state: "implementing",
    why: "Two sessions are at work.",
    flow: "feature",
    agent: "messages",
    label: "",
    created: TIME,
    updated: TIME,
    total: 0,
    merged: 0,
    skipped: 0,
    progress: progress(),
    cost_usd: "0",
    unknown_calls: 0,
    needs: [],
    ...values,
  };
}

export function progress(values: Partial<ProgressView> = {}): ProgressView {
  return { percent: 0, eta: null, left: "", waits: "", phases: [], activities: [], ...values };
}

export function need(values: Partial<NeedView> = {}): NeedView {
  return { kind: "question", run: "add-json-7k3f/ws-2", text: "In which order?", choices: [], question: "q-1", task: "", ...values };
}

export function comment(values: Partial<CommentView> = {}): CommentView {
  return {
    id: "c-1",
    document: "design",
    line: 3,
    quote: "fast",
    section: "",
    text: "How fast?",
    author: "Ada",
    answer: "",
    resolved: "",
    ...values,
  };
}

export function task(values: Partial<TaskView> = {}): TaskView {
  return {
    number: "1",
    title: "Write it",
    state: "open",
    why: "",
    role: "implementer",
    check: "make test",
    requires: [],
    depends: [],
    files: [],
    when: [],
    optional: false,
    session: "",
    merged: "",
    weak: false,
    recheck: false,
    ...values,
  };
}

export function session(values: Partial<SessionView> = {}): SessionView {
  return {
    id: "add-json-7k3f/ws-1",
    task: "1",
    parent: "",
    work: "",
    budget_usd: null,
    blocked: "",
    status: "running",
    why: "The agent works; turn 2.",
    agent: "messages",
    role: "implementer",
    started: TIME,
    completed: null,
    duration: 1,
    attempt: 1,
    turn: 1,
    activity: "edit src/a.py",
    send_backs: 0,
    conflicts: 0,
    foreseen: [],
    summary: "",
    reason: "",
    question: null,
    verification: null,
    merged: "",
    spend: SPEND,
    ...values,
  };
}

export function whole(values: Partial<SpecTaskView> = {}): SpecTaskView {
  return {
    ...summary(),
    base: "a".repeat(40),
    target: "main",
    target_behind: 0,
    target_conflicts: [],
    has_landed: false,
    pull_request: null,
    warnings: [],
    trouble: "",
    reason: "",
    outside: false,
    review_mode: "together",
    execute: false,
    in_advance: false,
    paused: false,
    owner: "Ada",
    limits: { max_parallel: 6, warn_usd: "10", stop_usd: "50", task_usd: null, run_usd: null },
    options: { mode: "parallel", priority: "normal", agents: [], interactive: false, fail_fast: false },
    documents: [],
    tasks: [],
    sessions: [],
    planning: [],
    messages: [],
    facts: [],
    notes: [],
    comments: [],
    versions: [],
    spend: SPEND,
    branches: { specs: "", feature: "", sessions: {} },
    final: "",
    accepted_by: "",
    dialect: "specthread",
    adopted: "",
    desk: "/state/desk/hours/add-json-7k3f",
    ...values,
  };
}

export function spectask(values: Partial<SpecTaskView> = {}): SpecTask {
  const all = whole(values);
  return { ...all, whole: all };
}
