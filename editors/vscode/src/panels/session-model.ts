// What the session panel is sent and sends.

import type { EntryView, EventView, NeedView, SessionView, TranscriptResult } from "../../../protocol";
import { spentText } from "../needs";
import { age, count, runLook, shortRun, spectaskLook, spectaskOf, withoutCommands, type Look } from "../words";

export interface Head {
  run: string;
  name: string;
  title: string;
  label: string;
  look: Look;
  why: string;
  facts: string[];
  question: NeedView | null;
  living: boolean;
  /** What to resume: the run, or the SpecTask it was paused with; empty where nothing is paused. */
  resumes: string;
  stopped: boolean;
  /** Why nobody can be asked now; empty while somebody can. */
  offline: string;
}

/** What the transcript does not tell: whether the whole SpecTask is paused, and why nobody can be asked. */
export interface Around {
  isHeld: boolean;
  offline: string;
  now: number;
}

export type ToSession =
  | { kind: "head"; head: Head }
  | { kind: "entries"; entries: EntryView[]; fresh: boolean }
  | { kind: "text"; text: string }
  | { kind: "trouble"; text: string }
  /** What came of the words that were sent last. */
  | { kind: "sent"; isTaken: boolean };

/** Whether an event is about a run: it names it, or it is about the whole SpecTask. */
export function concerns(event: EventView, run: string): boolean {
  if (event.spectask !== spectaskOf(run)) return false;
  const named = Object.values(event.payload).filter((each) => typeof each === "string" && each.startsWith(`${event.spectask}/`));
  return named.length === 0 || named.includes(run);
}

/** Why the run is as it is; a question stands in its own box below. */
function whyText(session: SessionView, isHeld: boolean): string {
  if (isHeld) return "Paused with its SpecTask.";
  return session.question ? "Waits for your answer below." : withoutCommands(session.why);
}

/** Returns what stands above a transcript. */
export function head(transcript: TranscriptResult, { isHeld, offline, now }: Around): Head {
  const { session } = transcript;
  const isLiving = session.completed === null;
  const isPaused = session.status === "paused";
  return {
    run: session.id,
    name: shortRun(session.id),
    title: session.task ? `${session.task}. ${transcript.title}` : transcript.title,
    label: transcript.label,
    look: isLiving && isHeld ? spectaskLook({ state: "implementing", paused: true }) : runLook(session),
    why: whyText(session, isLiving && isHeld),
    facts: [
      `${session.agent}, ${session.role}`,
      session.attempt > 1 ? `attempt ${session.attempt}` : "",
      session.send_backs ? `sent back ${session.send_backs} ×` : "",
      `${count(session.spend.calls, "call")}, ${spentText(session.spend)}`,
      `began ${age(session.started, now)}${age(session.started, now) === "now" ? "" : " ago"}`,
    ].filter(Boolean),
    question: session.question,
    living: isLiving,
    resumes: isPaused ? session.id : isLiving && isHeld ? spectaskOf(session.id) : "",
    stopped: ["failed", "stuck", "cancelled"].includes(session.status),
    offline,
  };
}
