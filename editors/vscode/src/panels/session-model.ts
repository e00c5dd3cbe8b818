// What the session panel is sent and sends.

import type { EntryView, NeedView, TranscriptResult } from "../../../protocol";
import { spentText } from "../needs";
import { age, count, runLook, shortRun, withoutCommands, type Look } from "../words";

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
  paused: boolean;
  stopped: boolean;
}

export type ToSession =
  | { kind: "head"; head: Head }
  | { kind: "entries"; entries: EntryView[]; fresh: boolean }
  | { kind: "text"; text: string }
  | { kind: "told"; text: string; wrong: boolean };

export type FromSession = { kind: "ready" } | { kind: "run"; command: string; argument: Record<string, string> };

/** Returns what stands above a transcript. */
export function head(transcript: TranscriptResult, now: number): Head {
  const { session } = transcript;
  return {
    run: session.id,
    name: shortRun(session.id),
    title: session.task ? `${session.task}. ${transcript.title}` : transcript.title,
    label: transcript.label,
    look: runLook(session),
    why: withoutCommands(session.why),
    facts: [
      `${session.agent}, ${session.role}`,
      session.attempt > 1 ? `attempt ${session.attempt}` : "",
      session.send_backs ? `sent back ${session.send_backs} ×` : "",
      `${count(session.spend.calls, "call")}, ${spentText(session.spend.cost_usd)}`,
      `began ${age(session.started, now)}${age(session.started, now) === "now" ? "" : " ago"}`,
    ].filter(Boolean),
    question: session.question,
    living: session.completed === null,
    paused: session.status === "paused",
    stopped: ["failed", "stuck", "cancelled"].includes(session.status),
  };
}
