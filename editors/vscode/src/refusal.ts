// What an error on the way to the daemon means to a person.

import type { RefusalView } from "../../protocol";
import { Refused } from "./daemon";
import { withoutCommands } from "./words";

/** What the relay itself answers: the daemon went away under a request, or does not run. It sends no refusal along. */
const RELAY = new Set([-32802, -32803]);
const RETRY = "Press Connect, or look into the log.";

interface Answered {
  code: number;
  message: string;
  data?: Partial<RefusalView>;
}

/** Returns the refusal behind an error: the daemon's own sentence, or that nobody was there to ask. */
export function refusedFrom(error: unknown): Refused {
  if (!isAnswered(error)) return new Refused("offline", `The connection to the daemon ended. ${RETRY}`);
  const { code, message, data } = error;
  if (RELAY.has(code) && !data?.code) return new Refused("offline", `${message} ${RETRY}`);
  const whole = withoutCommands([data?.message ?? message, data?.hint].filter(Boolean).join(" "));
  return new Refused(data?.code ?? String(code), whole || "The daemon refused this; its log says more.");
}

/** An answer has a code that is a number; a connection that broke has none, or one of the client's own. */
function isAnswered(error: unknown): error is Answered {
  if (typeof error !== "object" || error === null || !("code" in error) || !("message" in error)) return false;
  return typeof error.code === "number" && !CLIENT.has(error.code);
}

/** Codes with which the language client says that there is no connection: closed, disposed, never listening, inactive, or gone under a request. */
const CLIENT = new Set([1, 2, 3, -32096, -32097]);

/** Returns the sentence for a relay that could not be started. */
export function whyNotStarted(error: unknown, command: string): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes("ENOENT")) {
    return `“${command}” is not installed here. Install Specthread as its README says, or set “specthread.path”.`;
  }
  return text;
}
