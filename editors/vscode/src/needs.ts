// What waits for a human, in words and buttons: the same in the panel, in notifications and behind the status bar.

import type { NeedView, SpecTaskSummary } from "../../protocol";
import { cut, money, shortRun, spectaskLook, title, type Look } from "./words";
import type { SpecTask } from "./store";

/** A button: the command it runs and what with. */
export interface Action {
  label: string;
  command: string;
  argument: Record<string, string>;
  /** The one thing most people will do here. */
  primary?: boolean;
}

export interface Need {
  kind: NeedView["kind"];
  /** The same as long as the same thing waits. */
  key: string;
  spectask: string;
  run: string;
  /** Who or what needs it, then what is needed. */
  who: string;
  text: string;
  look: Look;
  actions: Action[];
}

const SHOWN_CHOICES = 4;
const NOTIFIED = 3;
const WRITE = "Answer…";
/** Needs that pass by themselves. */
const PASSING = new Set(["trouble"]);

/** What a SpecTask waits for, most pressing first. A review is a new one when the planner has written, not when the person has. */
export function needsOf(spectask: SpecTask): Need[] {
  return spectask.needs.map((need) => ({
    key: [
      spectask.id,
      need.kind,
      need.run,
      need.question || need.text,
      need.kind === "review" ? (spectask.whole?.planning.length ?? 0) : "",
    ].join("|"),
    kind: need.kind,
    spectask: spectask.id,
    run: need.run,
    ...said(spectask, need),
  }));
}

/** The button that lets all of it begin, or the one task that waits for a yes. */
function starting(need: NeedView, id: { id: string }): Action {
  return need.kind === "task"
    ? { label: `Start task ${need.task}`, command: "specthread.start-task", argument: { ...id, task: need.task }, primary: true }
    : { label: "Start…", command: "specthread.start", argument: id, primary: true };
}

function said(spectask: SpecTaskSummary, need: NeedView): Pick<Need, "who" | "text" | "look" | "actions"> {
  const id = { id: spectask.id };
  const run = { run: need.run };
  // Who asks without a run is a program that somebody else runs.
  const asked = { ...(need.run ? run : id), question: need.question };
  const name = shortRun(need.run);
  switch (need.kind) {
    case "question":
    case "permission":
    case "budget":
      return {
        who: !need.run
          ? ""
          : `${name} ${need.kind === "question" ? "asks:" : need.kind === "permission" ? "asks for permission:" : "needs money:"}`,
        text: need.text,
        look: {
          word: "Waiting",
          tone: "wait",
          icon: need.kind === "budget" ? "credit-card" : need.kind === "permission" ? "key" : "question",
        },
        actions: [
          ...need.choices
            .slice(0, SHOWN_CHOICES)
            .map((choice) => ({ label: cut(choice, 40), command: "specthread.answer", argument: { ...asked, text: choice } })),
          { label: WRITE, command: "specthread.answer", argument: asked },
        ],
      };
    case "review":
      return {
        who: "",
        text: need.text,
        look: spectaskLook({ state: "spec_review" }),
        actions: [
          { label: "Review", command: "specthread.review", argument: id, primary: true },
          { label: "Approve…", command: "specthread.approve", argument: id },
          { label: "Request changes…", command: "specthread.request-changes", argument: id },
        ],
      };
    case "run":
    case "task":
      return { who: "", text: need.text, look: spectaskLook({ state: "approved" }), actions: [starting(need, id)] };
    case "accept":
      return {
        who: "",
        text: need.text,
        look: spectaskLook({ state: "implementation_review" }),
        actions: [
          { label: "Accept…", command: "specthread.accept", argument: id, primary: true },
          { label: "Report", command: "specthread.show-report", argument: id },
        ],
      };
    case "retry":
      return {
        who: name,
        text: need.text,
        look: { word: "Stopped", tone: "stuck", icon: "warning" },
        actions: [
          { label: "Retry", command: "specthread.retry", argument: run },
          { label: "Open session", command: "specthread.open-session", argument: run },
        ],
      };
    case "resume":
      return {
        who: "",
        text: need.text,
        look: spectaskLook({ state: spectask.state, paused: spectask.state !== "failed" }),
        actions: [{ label: "Resume", command: "specthread.resume", argument: { target: spectask.id } }],
      };
    case "trouble":
      return { who: "", text: need.text, look: { word: "Trouble", tone: "stuck", icon: "warning" }, actions: [] };
  }
}

/**
 * Returns the buttons of a notification. The editor paints its first one as the one to press, and no answer is to be preferred:
 * so the first is the one that opens the whole question, and it is there however many choices there are.
 */
export function notified(need: Need): Action[] {
  const write = need.actions.find((each) => each.label === WRITE);
  const rest = need.actions.filter((each) => each !== write).slice(0, NOTIFIED);
  return write ? [write, ...rest] : rest;
}

/** Whether a need is worth a notification: not what passes by itself, nor what the person has just brought about by approving or pausing. */
export function isNews(spectask: SpecTask, need: NeedView["kind"]): boolean {
  if (need === "run") return spectask.whole?.in_advance ?? false;
  return !PASSING.has(need) && !(need === "resume" && (spectask.whole?.paused ?? false));
}

/** One sentence for a notification. */
export function sentence(spectask: SpecTaskSummary, need: Need): string {
  return `${title(spectask)}: ${[need.who, need.text].filter(Boolean).join(" ")}`;
}

/** What the status bar says: how much goes on, and how much waits for a person. */
export function statusText(spectasks: readonly { needs: readonly unknown[]; state: string; running: number }[]): string {
  const running = spectasks.reduce((sum, each) => sum + each.running, 0);
  const needed = spectasks.reduce((sum, each) => sum + each.needs.length, 0);
  const parts = [running ? `${running} running` : "", needed ? `${needed} ${needed === 1 ? "needs" : "need"} you` : ""].filter(Boolean);
  return parts.join(" · ");
}

/** What was spent of what may be; calls without a known price are never told as nothing. */
export function spentText(spent: { cost_usd: string; unknown_calls: number }, stopUsd?: string): string {
  const known = Number(spent.cost_usd) || !spent.unknown_calls ? [money(spent.cost_usd)] : [];
  const sum = [...known, ...(spent.unknown_calls ? ["unknown"] : [])].join(" + ");
  return stopUsd === undefined ? sum : `${sum} of $${Number(stopUsd)}`;
}
