// What the parts of the extension share, and how they find out what a person means.

import * as vscode from "vscode";
import type { DocumentView, SessionView, SpecTaskView } from "../../protocol";
import { pick, tell } from "./boxes";
import { chosenRun, chosenSpectask } from "./choice";
import type { Connection } from "./connection";
import { Refused } from "./daemon";
import type { SpecTask, Store } from "./store";
import { percentText, progressText, shortRun, spectaskLook, spectaskOf, title, withoutCommands } from "./words";

export interface Window {
  connection: Connection;
  store: Store;
  log: vscode.LogOutputChannel;
  extension: vscode.Uri;
}

/** What a command was called with: from a lens, a tree node, a button, or nothing. */
export interface Given {
  id?: string;
  spectask?: string;
  run?: string;
  target?: string;
  task?: string;
  document?: string;
  digest?: string;
  feature?: string;
  question?: string;
  text?: string;
}

/** A live document that is open: the SpecTask it belongs to, and its place in the view. */
export interface Live {
  spectask: SpecTaskView;
  document: DocumentView;
}

/** Returns the arguments as a value, whatever the caller sent. */
export function given(argument: unknown): Given {
  return typeof argument === "object" && argument !== null ? argument : {};
}

/** Returns the address of a live document, which lies on the SpecTask's desk. */
export function liveUri(spectask: SpecTaskView, document: DocumentView): vscode.Uri {
  return vscode.Uri.joinPath(vscode.Uri.file(spectask.desk), document.path);
}

/** Returns the live document at an address, or nothing where another file is open there. */
export function liveAt(window: Window, uri: vscode.Uri | undefined): Live | undefined {
  if (uri?.scheme !== "file") return undefined;
  for (const { whole } of window.store.spectasks) {
    if (!whole?.desk || !uri.fsPath.startsWith(whole.desk)) continue;
    const document = whole.documents.find((each) => each.path && liveUri(whole, each).fsPath === uri.fsPath);
    if (document) return { spectask: whole, document };
  }
  return undefined;
}

/** Returns the live document in the active editor. */
export function activeLive(window: Window): Live | undefined {
  return liveAt(window, vscode.window.activeTextEditor?.document.uri);
}

/** Sees to it that the SpecTasks are known; throws where nobody is there to ask, so that nothing is called missing that was never looked for. */
async function requireLoaded({ connection, store }: Window): Promise<void> {
  const isLoaded = (): boolean => store.loaded;
  if (isLoaded()) return;
  await connection.connect();
  await store.load();
  if (!isLoaded()) throw new Refused("offline", connection.whyOffline);
}

/** Returns the SpecTask that is meant: the one named, else what `chosenSpectask` says. Returns nothing where the person thought better of it. */
export async function whichSpectask(
  window: Window,
  argument: Given,
  fits: (spectask: SpecTask) => boolean,
  none: string,
): Promise<SpecTaskView | undefined> {
  const named = argument.id ?? argument.spectask;
  if (named) return window.store.whole(named);
  await requireLoaded(window);
  const open = activeLive(window)?.spectask;
  const choice = chosenSpectask(open && { ...open, whole: open }, window.store.spectasks, fits, none);
  if ("one" in choice) return window.store.whole(choice.one.id);
  const picked = await pick(
    choice.among.map((each) => ({
      label: title(each),
      description: each.id,
      detail: [spectaskLook(each).word, percentText(each), progressText(each), withoutCommands(each.why)].filter(Boolean).join(" · "),
      value: each.id,
    })),
    "Which SpecTask?",
  );
  return picked ? window.store.whole(picked) : undefined;
}

export interface RunOf {
  spectask: SpecTaskView;
  run: SessionView;
}

/** Returns the run that is meant, the same way. */
export async function whichRun(
  window: Window,
  argument: Given,
  fits: (run: SessionView) => boolean,
  none: string,
): Promise<RunOf | undefined> {
  if (argument.run) return namedRun(window, argument.run);
  await requireLoaded(window);
  const named = argument.id ?? argument.spectask;
  const wholes = window.store.spectasks.flatMap(({ whole }) => (whole && (!named || whole.id === named) ? [whole] : []));
  const fit = wholes.flatMap((spectask) =>
    runsOf(spectask)
      .filter(fits)
      .map((run) => ({ spectask, run })),
  );
  const choice = chosenRun(named ? undefined : activeLive(window)?.spectask.id, fit, none);
  if ("one" in choice) return choice.one;
  return pick(
    choice.among.map((each) => ({
      label: `${shortRun(each.run.id)}${each.run.task ? ` · task ${each.run.task}` : ""}`,
      description: title(each.spectask),
      detail: each.run.question?.text ?? withoutCommands(each.run.why),
      value: each,
    })),
    "Which session?",
  );
}

async function namedRun(window: Window, id: string): Promise<RunOf> {
  const known = await window.store.whole(spectaskOf(id));
  const spectask = runsOf(known).some((each) => each.id === id) ? known : await window.store.fetch(known.id);
  const run = runsOf(spectask).find((each) => each.id === id);
  if (!run) throw new Refused("unknown-id", `${spectask.id} has no session ${shortRun(id)} any more.`);
  return { spectask, run };
}

/** Planning first, then the sessions. */
export function runsOf(spectask: SpecTaskView): SessionView[] {
  return [...spectask.planning, ...spectask.sessions];
}

/** Throws where the person has not said yet that this folder's author is trusted: nothing is to happen for a stranger's folder. */
export function requireTrust(): void {
  if (vscode.workspace.isTrusted) return;
  throw new Refused(
    "untrusted",
    "This folder is not trusted yet, so nothing can be started, approved or answered in it. Trust it with “Workspaces: Manage Workspace Trust”.",
  );
}

/** The folders of this window, as paths. */
export function folders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).filter((each) => each.uri.scheme === "file").map((each) => each.uri.fsPath);
}

const SETTLE_MS = 5000;
const GLANCE_MS = 150;

/**
 * Sees to it that what the person reads is what the daemon knows: offers to save what is not saved, and waits until the daemon has read it.
 * Returns false where the person would rather not; throws where the daemon does not read it.
 */
export async function settleUnsaved(window: Window, spectask: SpecTaskView): Promise<boolean> {
  const unsaved = vscode.workspace.textDocuments.filter((each) => each.isDirty && liveAt(window, each.uri)?.spectask.id === spectask.id);
  if (unsaved.length === 0) return true;
  const names = unsaved.map((each) => liveAt(window, each.uri)?.document.name ?? "").join(", ");
  const chosen = await tell("warning", `Not saved yet: ${names}. Only what is saved counts.`, "Save and Go On");
  if (chosen !== "Save and Go On") return false;
  for (const document of unsaved) await document.save();
  for (let waited = 0; waited < SETTLE_MS; waited += GLANCE_MS) {
    const { documents } = await window.connection.request("specthread/review", { id: spectask.id });
    if (unsaved.every((each) => documents.some((known) => known.text === each.getText()))) return true;
    await new Promise((resolve) => setTimeout(resolve, GLANCE_MS));
  }
  throw new Refused("unsettled", "The daemon has not taken in what you saved yet. Look at the document and try again.");
}
