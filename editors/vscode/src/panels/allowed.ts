// What a panel may ask of the extension: a panel shows what agents wrote, so nothing but these commands is taken from it.

const NEEDS = [
  "answer",
  "review",
  "approve",
  "request-changes",
  "start",
  "start-task",
  "accept",
  "show-report",
  "retry",
  "open-session",
  "resume",
];
const ALLOWED = {
  overview: new Set([...NEEDS, "restart", "show-log", "new-task", "reveal", "manage-trust"]),
  session: new Set(["pause", "resume", "retry", "cancel", "answer", "say", "restart"]),
};

export interface Order {
  command: string;
  argument: Record<string, string>;
}

/** Returns what a message asks to be run, or nothing where it is not for this panel to ask. */
export function ordered(panel: keyof typeof ALLOWED, message: unknown): Order | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { kind, command, argument } = message as Record<string, unknown>;
  if (kind !== "run" || typeof command !== "string" || !command.startsWith("specthread.")) return undefined;
  if (!ALLOWED[panel].has(command.slice("specthread.".length)) || !isWords(argument)) return undefined;
  return { command, argument };
}

function isWords(argument: unknown): argument is Record<string, string> {
  return typeof argument === "object" && argument !== null && Object.values(argument).every((each) => typeof each === "string");
}
