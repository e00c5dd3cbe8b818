// The way from a panel to the extension.

interface VsCode {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCode;

export const host = acquireVsCodeApi();

/** Runs one of the extension's commands. */
export function run(command: string, argument: Record<string, string>): void {
  host.postMessage({ kind: "run", command, argument });
}
