// Which SpecTask or session a command means. No editor here: the same rules hold wherever it was called from.

import { Refused } from "./daemon";
import type { SpecTask } from "./store";
import { withoutCommands } from "./words";

/** The one that is meant, or those among which the person is to choose. */
export type Choice<T> = { one: T } | { among: T[] };

/**
 * Returns the SpecTask that is meant: the one whose document is in front, else the only one that is fit.
 * Throws where the one in front is not fit, for a command must never act on another one silently; and where none is.
 */
export function chosenSpectask(
  open: SpecTask | undefined,
  all: readonly SpecTask[],
  fits: (spectask: SpecTask) => boolean,
  none: string,
): Choice<SpecTask> {
  if (open && fits(open)) return { one: open };
  if (open) throw new Refused("not-this-one", notThisOne(open));
  return only(all.filter(fits), none);
}

/** Returns the session that is meant: the only one of the SpecTask in front, else the only one there is; one of another SpecTask is shown first. */
export function chosenRun<T extends { spectask: { id: string } }>(open: string | undefined, fit: readonly T[], none: string): Choice<T> {
  if (open === undefined) return only(fit, none);
  const here = fit.filter((each) => each.spectask.id === open);
  if (here.length > 0) return only(here, none);
  return fit.length === 1 ? { among: [...fit] } : only(fit, none);
}

function only<T>(fit: readonly T[], none: string): Choice<T> {
  const [first] = fit;
  if (first === undefined) throw new Refused("none", none);
  return fit.length === 1 ? { one: first } : { among: [...fit] };
}

function notThisOne(open: SpecTask): string {
  const why = withoutCommands(open.why);
  return [
    `The document in front belongs to ${open.id}, which does not wait for this.`,
    why,
    "For another SpecTask, use its row in the SpecTasks tree.",
  ]
    .filter(Boolean)
    .join(" ");
}
