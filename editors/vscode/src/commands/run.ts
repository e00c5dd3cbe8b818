// From the approved spec to the accepted work.

import * as vscode from "vscode";
import type { SpecTaskView } from "../../../protocol";
import { Refused } from "../daemon";
import { ENDED } from "../store";
import { count, cut, shortRun, title } from "../words";
import { given, requireTrust, whichRun, whichSpectask, type Window } from "../window";

const WRITE = "Write an answer…";

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
  const picked = meant.task
    ? { number: meant.task }
    : await vscode.window.showQuickPick(
        startable(spectask).map((each) => ({ label: `${each.number}. ${each.title}`, detail: each.why, number: each.number })),
        { placeHolder: "Which task?" },
      );
  return picked && (await startTasks(window, spectask, [picked.number]));
}

async function startTasks(window: Window, spectask: SpecTaskView, tasks: string[]): Promise<string | undefined> {
  const plan = await window.connection.request("specthread/run", { id: spectask.id, tasks, dry_run: true });
  if (plan.why) throw new Refused("not-yet", plan.why);
  const number = plan.waves.flat().length;
  const waves = plan.waves
    .filter((each) => each.length)
    .map((each, index) => `${index + 1}. ${each.length > 1 ? "tasks" : "task"} ${each.join(", ")}`);
  const detail = [
    `In this order:\n${waves.join("\n")}`,
    `Up to ${plan.max_parallel} at once, each in its own worktree. No call starts that could pass $${Number(spectask.limits.stop_usd)}.`,
  ].join("\n\n");
  const answer = await vscode.window.showInformationMessage(
    `Start ${count(number, "task")} of “${cut(title(spectask), 60)}”?`,
    { modal: true, detail },
    "Start",
  );
  if (answer !== "Start") return undefined;
  await window.connection.request("specthread/run", { id: spectask.id, tasks, key: crypto.randomUUID() });
  return `Started ${count(number, "task")}.`;
}

/** Answers the open question of a run. */
export async function answer(window: Window, argument: unknown): Promise<string | undefined> {
  const meant = given(argument);
  const found = await whichRun(window, meant, (run) => run.question !== null, "No session waits for an answer.");
  if (!found) return undefined;
  const asked = [...found.spectask.planning, ...found.spectask.sessions].find((each) => each.id === found.run)?.question;
  const text = meant.text ?? (await askAnswer(shortRun(found.run), asked?.text ?? "", asked?.choices ?? []));
  if (!text?.trim()) return undefined;
  return (await window.connection.request("specthread/answer", { target: found.run, text, key: crypto.randomUUID() })).text;
}

async function askAnswer(name: string, question: string, choices: readonly string[]): Promise<string | undefined> {
  if (choices.length > 0) {
    const picked = await vscode.window.showQuickPick([...choices, WRITE], {
      title: `${name} asks`,
      placeHolder: question,
      ignoreFocusOut: true,
    });
    if (picked !== WRITE) return picked;
  }
  return vscode.window.showInputBox({ title: `${name} asks`, prompt: question, ignoreFocusOut: true });
}

/** Says something to a running agent. */
export async function say(window: Window, argument: unknown): Promise<string | undefined> {
  const found = await whichRun(window, given(argument), (run) => run.completed === null, "No session is running.");
  if (!found) return undefined;
  const text =
    given(argument).text ??
    (await vscode.window.showInputBox({
      title: `Say something to ${shortRun(found.run)}`,
      prompt: "It reads it before its next turn.",
      ignoreFocusOut: true,
    }));
  if (!text?.trim()) return undefined;
  return (await window.connection.request("specthread/say", { target: found.run, text, key: crypto.randomUUID() })).text;
}

/** Pauses a SpecTask or a run. */
export async function pause(window: Window, argument: unknown): Promise<string | undefined> {
  const going = (each: { state: string; whole?: SpecTaskView }): boolean => !ENDED.has(each.state) && !each.whole?.paused;
  const target = await targetOf(window, argument, going, "No SpecTask is at work.");
  return target && (await window.connection.request("specthread/pause", { target, key: crypto.randomUUID() })).text;
}

/** Lets a paused SpecTask or run go on. */
export async function resume(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const held = (each: { state: string; whole?: SpecTaskView }): boolean => (each.whole?.paused ?? false) || each.state === "failed";
  const target = await targetOf(window, argument, held, "No SpecTask is paused.");
  return target && (await window.connection.request("specthread/resume", { target, key: crypto.randomUUID() })).text;
}

/** Ends a SpecTask or a run, after saying what is kept. */
export async function cancel(window: Window, argument: unknown): Promise<string | undefined> {
  const target = await targetOf(window, argument, (each) => !ENDED.has(each.state), "No SpecTask is there to be cancelled.");
  if (!target) return undefined;
  const detail = "Its branches, worktrees, documents and conversations are kept.";
  const chosen = await vscode.window.showWarningMessage(`Cancel ${target}?`, { modal: true, detail }, "Cancel It");
  if (chosen !== "Cancel It") return undefined;
  return (await window.connection.request("specthread/cancel", { target, key: crypto.randomUUID() })).text;
}

async function targetOf(
  window: Window,
  argument: unknown,
  fits: (each: { state: string; whole?: SpecTaskView }) => boolean,
  none: string,
): Promise<string | undefined> {
  const meant = given(argument);
  return meant.target ?? meant.run ?? (await whichSpectask(window, meant, fits, none))?.id;
}

/** Starts a new attempt of a run. */
export async function retry(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const stopped = (status: string): boolean => ["failed", "stuck", "cancelled"].includes(status);
  const found = await whichRun(window, given(argument), (run) => stopped(run.status), "No session has stopped without a result.");
  return found && (await window.connection.request("specthread/retry", { target: found.run, key: crypto.randomUUID() })).text;
}

/** Leaves a task undone on purpose. */
export async function skip(window: Window, argument: unknown): Promise<string | undefined> {
  const { spectask, task } = given(argument);
  if (!spectask || !task) throw new Refused("no-task", "Choose the task in the SpecTasks tree.");
  const chosen = await vscode.window.showWarningMessage(
    `Skip task ${task}?`,
    { modal: true, detail: "It stays undone, and the report says who decided so." },
    "Skip It",
  );
  if (chosen !== "Skip It") return undefined;
  return (await window.connection.request("specthread/skip", { id: spectask, task, key: crypto.randomUUID() })).text;
}

/** Merges a target branch that has moved on into the feature branch. */
export async function sync(window: Window, argument: unknown): Promise<string | undefined> {
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
  const meant = given(argument);
  const spectask = await whichSpectask(
    window,
    meant,
    (each) => each.state === "implementation_review",
    "No SpecTask waits for your acceptance.",
  );
  if (!spectask) return undefined;
  const feature = meant.feature ?? spectask.final;
  if (!feature) throw new Refused("not-yet", spectask.why);
  const weak = spectask.tasks.filter((each) => each.weak).map((each) => each.number);
  const detail = [
    `${count(spectask.merged, "task")} merged, ${spectask.skipped} skipped, on ${spectask.branches.feature}.`,
    weak.length
      ? `The check of ${weak.length > 1 ? "tasks" : "task"} ${weak.join(", ")} was green before the work, so it proves little.`
      : "",
    spectask.target_behind ? `${spectask.target} has moved on by ${count(spectask.target_behind, "commit")}.` : "",
  ];
  const chosen = await vscode.window.showInformationMessage(
    `Accept ${feature.slice(0, 7)} of “${cut(title(spectask), 60)}”?`,
    { modal: true, detail: detail.filter(Boolean).join("\n") },
    "Accept",
    "Show the Report",
  );
  if (chosen === "Show the Report") {
    await vscode.commands.executeCommand("specthread.show-report", { id: spectask.id });
    return undefined;
  }
  if (chosen !== "Accept") return undefined;
  return (await window.connection.request("specthread/accept", { id: spectask.id, feature, key: crypto.randomUUID() })).text;
}
