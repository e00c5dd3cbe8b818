// From the approved spec to the accepted work.

import * as vscode from "vscode";
import type { NeedView, SpecTaskView } from "../../../protocol";
import * as boxes from "../boxes";
import { Refused } from "../daemon";
import { ENDED, type SpecTask } from "../store";
import { count, cut, shortRun, title, withoutCommands } from "../words";
import { given, requireTrust, whichRun, whichSpectask, type Window } from "../window";

/** Starts the approved tasks, after showing how many, in which order and up to which bill. */
export async function start(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const spectask = await whichSpectask(
    window,
    given(argument),
    (each) => each.state === "approved",
    "No SpecTask is approved and waits to be started.",
  );
  return spectask && (await startTasks(window, spectask, []));
}

/** Starts one task and what it waits for. */
export async function startTask(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const startable = (spectask: SpecTaskView): SpecTaskView["tasks"] => spectask.tasks.filter((each) => each.state === "open");
  const fits = (state: string): boolean => state === "approved" || state === "implementing";
  const spectask = await whichSpectask(
    window,
    meant,
    (each) => fits(each.state) && startable(each.whole ?? ({ tasks: [] } as never)).length > 0,
    "No task waits to be started.",
  );
  if (!spectask) return undefined;
  const rows = startable(spectask).map((each) => ({
    label: `${each.number}. ${each.title}`,
    detail: withoutCommands(each.why),
    value: each.number,
  }));
  const number = meant.task ?? (await boxes.pick(rows, "Which task?"));
  return number && (await startTasks(window, spectask, [number]));
}

async function startTasks(window: Window, spectask: SpecTaskView, tasks: string[]): Promise<string | undefined> {
  const plan = await window.connection.request("specthread/run", { id: spectask.id, tasks, dry_run: true });
  if (plan.why) throw new Refused("not-yet", withoutCommands(plan.why) || "This cannot start yet.");
  const number = plan.waves.flat().length;
  const waves = plan.waves
    .filter((each) => each.length)
    .map((each, index) => `${index + 1}. ${each.length > 1 ? "tasks" : "task"} ${each.join(", ")}`);
  const detail = [
    `In this order:\n${waves.join("\n")}`,
    `Up to ${plan.max_parallel} at once, each in its own worktree. No call starts that could pass $${Number(spectask.limits.stop_usd)}.`,
  ].join("\n\n");
  const question = `Start ${count(number, "task")} of “${cut(title(spectask), 60)}”?`;
  if ((await boxes.confirm("information", question, detail, "Start")) !== "Start") return undefined;
  await window.connection.request("specthread/run", { id: spectask.id, tasks, key: crypto.randomUUID() });
  return `Started ${count(number, "task")}.`;
}

/** Answers the question of a run that the person has read: the one a button names, else the one shown now. */
export async function answer(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const outside = meant.run
    ? undefined
    : window.store.get(meant.id ?? "")?.needs.find((need) => !need.run && need.question === meant.question);
  if (outside && meant.id) return answerOutside(window, meant.id, outside, meant.text);
  const found = await whichRun(window, meant, (run) => run.question !== null, "No session waits for an answer.");
  if (!found) return undefined;
  const target = found.run.id;
  const asked = found.run.question;
  const question = meant.question ?? asked?.question ?? "";
  const send = async (text: string, key: string): Promise<string> =>
    (await window.connection.request("specthread/answer", { target, text, question, key })).text;
  if (meant.text) return send(meant.text, crypto.randomUUID());
  if (!asked) throw new Refused("no-question", `${shortRun(target)} asks nothing any more.`);
  if (asked.question !== question) throw new Refused("other-question", `${shortRun(target)} asks something else by now: “${asked.text}”.`);
  return askAnswer(shortRun(target), asked, send);
}

/** Answers what somebody asks who is none of our runs; its text names them. */
async function answerOutside(window: Window, target: string, asked: NeedView, text = ""): Promise<string | undefined> {
  const send = async (answer: string, key: string): Promise<string> =>
    (await window.connection.request("specthread/answer", { target, text: answer, question: asked.question, key })).text;
  return text ? send(text, crypto.randomUUID()) : askAnswer("A program", asked, send);
}

async function askAnswer(name: string, asked: NeedView, send: (text: string, key: string) => Promise<string>): Promise<string | undefined> {
  const heading = `${name} asks`;
  if (asked.choices.length > 0) {
    const rows = [
      ...asked.choices.map((each) => ({ label: each, value: { text: each } })),
      { label: "Write an answer…", value: { text: "" } },
    ];
    const chosen = await boxes.choose(rows, heading, asked.text);
    if (!chosen) return undefined;
    if (chosen.text) return send(chosen.text, crypto.randomUUID());
  }
  return boxes.ask({ title: heading, prompt: asked.text, needed: "Write an answer, or press Escape." }, send);
}

/** Says something to a running agent. */
export async function say(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const found = await whichRun(window, meant, (run) => run.completed === null, "No session is running.");
  if (!found) return undefined;
  const target = found.run.id;
  const send = async (text: string, key: string): Promise<string> =>
    (await window.connection.request("specthread/say", { target, text, key })).text;
  if (meant.text) return send(meant.text, crypto.randomUUID());
  const question = {
    title: `Say something to ${shortRun(target)}`,
    prompt: "It reads it before its next turn.",
    needed: "Say something, or press Escape.",
  };
  return boxes.ask(question, send);
}

/** Gives work to a session of its own: under the session it was asked for, else beside the plan. */
export async function spawn(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const fits = (each: SpecTask): boolean => ["approved", "implementing", "implementation_review"].includes(each.state);
  const target = meant.run ?? (await whichSpectask(window, meant, fits, "No SpecTask can have more sessions."))?.id;
  if (!target) return undefined;
  const send = async (text: string, key: string): Promise<string> =>
    (await window.connection.request("specthread/spawn", { target, text, key })).text;
  if (meant.text) return send(meant.text, crypto.randomUUID());
  const question = {
    title: meant.run ? `Spawn a session under ${shortRun(target)}` : "Spawn a session beside the plan",
    prompt: "What should it do? It gets a worktree of its own, and is checked and merged like any other.",
    needed: "Say what it should do, or press Escape.",
  };
  return boxes.ask(question, send);
}

/** Pauses a SpecTask or a run. */
export async function pause(window: Window, argument: unknown): Promise<string | undefined> {
  const going = (each: SpecTask): boolean => !ENDED.has(each.state) && !each.whole?.paused;
  const target = await targetOf(window, argument, going, "No SpecTask is at work.");
  return target && (await window.connection.request("specthread/pause", { target, key: crypto.randomUUID() })).text;
}

/** Lets a paused SpecTask or run go on, or takes up again what failed or was cancelled. */
export async function resume(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const held = (each: SpecTask): boolean => (each.whole?.paused ?? false) || each.state === "failed" || each.state === "cancelled";
  const target = await targetOf(window, argument, held, "No SpecTask is paused, failed or cancelled.");
  if (!target) return undefined;
  if (window.store.get(target)?.state === "cancelled") {
    const detail = "It was cancelled. Its sessions go on where they were, and cost money again.";
    if ((await boxes.confirm("information", `Take ${target} up again?`, detail, "Resume")) !== "Resume") return undefined;
  }
  return (await window.connection.request("specthread/resume", { target, key: crypto.randomUUID() })).text;
}

/** Ends a SpecTask or a run, after saying what is kept. */
export async function cancel(window: Window, argument: unknown): Promise<string | undefined> {
  const target = await targetOf(window, argument, (each) => !ENDED.has(each.state), "No SpecTask is there to be cancelled.");
  if (!target) return undefined;
  const detail = "Its branches, worktrees, documents and conversations are kept.";
  if ((await boxes.confirm("warning", `Cancel ${target}?`, detail, "Cancel It")) !== "Cancel It") return undefined;
  return (await window.connection.request("specthread/cancel", { target, key: crypto.randomUUID() })).text;
}

async function targetOf(window: Window, argument: unknown, fits: (each: SpecTask) => boolean, none: string): Promise<string | undefined> {
  const meant = given(argument);
  return meant.target ?? meant.run ?? (await whichSpectask(window, meant, fits, none))?.id;
}

/** Starts a new attempt of a run. */
export async function retry(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const stopped = (status: string): boolean => ["failed", "stuck", "cancelled"].includes(status);
  const found = await whichRun(window, given(argument), (run) => stopped(run.status), "No session has stopped without a result.");
  return found && (await window.connection.request("specthread/retry", { target: found.run.id, key: crypto.randomUUID() })).text;
}

/** Leaves a task undone on purpose. */
export async function skip(window: Window, argument: unknown): Promise<string | undefined> {
  const { spectask, task } = given(argument);
  if (!spectask || !task) throw new Refused("no-task", "Choose the task in the SpecTasks tree.");
  const detail = "It stays undone, and the report says who decided so.";
  if ((await boxes.confirm("warning", `Skip task ${task}?`, detail, "Skip It")) !== "Skip It") return undefined;
  return (await window.connection.request("specthread/skip", { id: spectask, task, key: crypto.randomUUID() })).text;
}

/** Merges a target branch that has moved on into the feature branch. */
export async function sync(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const spectask = await whichSpectask(
    window,
    given(argument),
    (each) => (each.whole?.target_behind ?? 0) > 0,
    "No target branch has moved on.",
  );
  return spectask && (await window.connection.request("specthread/sync", { id: spectask.id, key: crypto.randomUUID() })).text;
}

/** Accepts exactly the commit that is shown. */
export async function accept(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const spectask = await whichSpectask(
    window,
    meant,
    (each) => each.state === "implementation_review",
    "No SpecTask waits for your acceptance.",
  );
  if (!spectask) return undefined;
  const feature = meant.feature ?? spectask.final;
  if (!feature) throw new Refused("not-yet", withoutCommands(spectask.why) || "There is nothing to accept yet.");
  const question = `Accept ${feature.slice(0, 7)} of “${cut(title(spectask), 60)}”?`;
  const chosen = await boxes.confirm("information", question, acceptedText(spectask), "Accept", "Show the Report");
  if (chosen === "Show the Report") {
    await vscode.commands.executeCommand("specthread.show-report", { id: spectask.id });
    return undefined;
  }
  if (chosen !== "Accept") return undefined;
  return (await window.connection.request("specthread/accept", { id: spectask.id, feature, key: crypto.randomUUID() })).text;
}

/** Brings accepted work onto its target branch, or says by which command the person does. */
export async function land(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const spectask = await whichSpectask(
    window,
    given(argument),
    (each) => each.state === "done" && each.whole?.has_landed !== true,
    "No accepted SpecTask waits to land.",
  );
  return spectask && (await window.connection.request("specthread/land", { id: spectask.id, key: crypto.randomUUID() })).text;
}

/** What a person should know before accepting. */
function acceptedText(spectask: SpecTaskView): string {
  const weak = spectask.tasks.filter((each) => each.weak).map((each) => each.number);
  const lines = [
    `${count(spectask.merged, "task")} merged, ${spectask.skipped} skipped, on ${spectask.branches.feature}.`,
    weak.length
      ? `The check of ${weak.length > 1 ? "tasks" : "task"} ${weak.join(", ")} was green before the work, so it proves little.`
      : "",
    spectask.target_behind ? `${spectask.target} has moved on by ${count(spectask.target_behind, "commit")}.` : "",
  ];
  return lines.filter(Boolean).join("\n");
}
