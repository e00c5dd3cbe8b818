// What the overview panel shows, as a value.

import type { Liveness } from "../connection";
import { needsOf, spentText, type Need } from "../needs";
import { ENDED, type SpecTask } from "../store";
import { age, cut, percentText, progressText, spectaskLook, taskLook, title, withoutCommands, type Look, type Tone } from "../words";

/** One segment of a thread bar: a task, by the look of its state. */
export type Segment = Tone | "open" | "skipped";

export interface Card {
  id: string;
  title: string;
  label: string;
  age: string;
  look: Look;
  segments: Segment[];
  /** The same bar in words, for who cannot see it. */
  spoken: string;
  progress: string;
  spent: string;
  /** Why it is as it is; empty where a need says so. */
  why: string;
}

export interface NeedCard extends Need {
  title: string;
  age: string;
}

export interface Group {
  name: string;
  cards: Card[];
}

export interface Overview {
  liveness: Liveness;
  loaded: boolean;
  trusted: boolean;
  needs: NeedCard[];
  groups: Group[];
  /** How many runs are at work, and what all SpecTasks of this window cost. */
  running: number;
  spent: string;
}

const GROUPS: readonly { name: string; states: readonly string[] }[] = [
  { name: "Implementing", states: ["implementing"] },
  { name: "In review", states: ["spec_review", "approved", "implementation_review"] },
  { name: "Planning", states: ["planning", "revising", "backlog"] },
  { name: "Ended", states: [...ENDED] },
];

/** Returns the panel for the SpecTasks of a window. */
export function overview(
  spectasks: readonly SpecTask[],
  about: { liveness: Liveness; loaded: boolean; trusted: boolean; running: number; now: number },
): Overview {
  const { now, ...rest } = about;
  return {
    ...rest,
    needs: spectasks.flatMap((each) => needsOf(each).map((need) => ({ ...need, title: title(each), age: age(each.updated, now) }))),
    groups: GROUPS.map(({ name, states }) => ({
      name,
      cards: spectasks.filter((each) => states.includes(each.state)).map((each) => card(each, now)),
    })).filter((group) => group.cards.length > 0),
    spent: spentText(inAll(spectasks)),
  };
}

function inAll(spectasks: readonly SpecTask[]): { cost_usd: string; unknown_calls: number } {
  const cost = spectasks.reduce((sum, each) => sum + Number(each.cost_usd), 0);
  return { cost_usd: String(cost), unknown_calls: spectasks.reduce((sum, each) => sum + each.unknown_calls, 0) };
}

function card(spectask: SpecTask, now: number): Card {
  const { whole } = spectask;
  const looks = (whole?.tasks ?? []).map((task) => ({ look: taskLook(task, whole?.sessions), state: task.state }));
  const words = new Map<string, number>();
  for (const { look } of looks) words.set(look.word.toLowerCase(), (words.get(look.word.toLowerCase()) ?? 0) + 1);
  return {
    id: spectask.id,
    title: cut(title(spectask), 120),
    label: spectask.label,
    age: age(spectask.updated, now),
    look: spectaskLook({ state: spectask.state, paused: whole?.paused ?? false }),
    segments: looks.map(({ look, state }) => (state === "skipped" ? "skipped" : look.tone === "idle" ? "open" : look.tone)),
    spoken: [...words].map(([word, number]) => `${number} ${word}`).join(", "),
    progress: [percentText(spectask), spectask.total ? progressText(spectask) : documentsText(spectask), spectask.progress.left]
      .filter(Boolean)
      .join(" · "),
    spent: spentText(spectask, whole?.limits.stop_usd),
    // What waits for the person stands above already, with its buttons.
    why: spectask.needs.length > 0 ? "" : withoutCommands(spectask.why),
  };
}

function documentsText(spectask: SpecTask): string {
  const documents = spectask.whole?.documents ?? [];
  const written = documents.filter((each) => each.digest).length;
  return documents.length ? `${written} of ${documents.length} documents` : "";
}
