// What the parts of the extension share, and how they find out what a person means.

import * as vscode from "vscode";
import type { DocumentView, SpecTaskView } from "../../protocol";
import type { Connection } from "./connection";
import { Refused } from "./daemon";
import type { SpecTask, Store } from "./store";
import { progressText, shortRun, spectaskLook, title } from "./words";

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

/**
 * Returns the SpecTask that is meant: the one named, else the one whose document is open, else the only one there is, else the one picked.
 * Returns nothing where the person thought better of it; throws where none is fit.
 */
export async function whichSpectask(
  window: Window,
  argument: Given,
  fits: (spectask: SpecTask) => boolean,
  none: string,
): Promise<SpecTaskView | undefined> {
  const named = argument.id ?? argument.spectask;
  if (named) return window.store.whole(named);
  const open = activeLive(window)?.spectask;
  if (open && fits({ ...open, whole: open })) return open;
  const fit = window.store.spectasks.filter(fits);
  const [only] = fit;
  if (!only) throw new Refused("none", none);
  if (fit.length === 1) return window.store.whole(only.id);
  const picked = await vscode.window.showQuickPick(
    fit.map((each) => ({
      label: title(each),
      description: each.id,
      detail: `${spectaskLook(each).word} · ${progressText(each)} · ${each.why}`,
      id: each.id,
    })),
    { placeHolder: "Which SpecTask?", matchOnDescription: true, matchOnDetail: true },
  );
  return picked && window.store.whole(picked.id);
}

export interface RunOf {
  spectask: SpecTaskView;
  run: string;
}

/** Returns the run that is meant, the same way. */
export async function whichRun(
  window: Window,
  argument: Given,
  fits: (run: SpecTaskView["sessions"][number]) => boolean,
  none: string,
): Promise<RunOf | undefined> {
  if (argument.run) return { spectask: await window.store.whole(argument.run.slice(0, argument.run.lastIndexOf("/"))), run: argument.run };
  const named = argument.id ?? argument.spectask;
  const wholes = window.store.spectasks.flatMap(({ whole }) => (whole && (!named || whole.id === named) ? [whole] : []));
  const fit = wholes.flatMap((spectask) =>
    [...spectask.planning, ...spectask.sessions].filter(fits).map((session) => ({ spectask, session })),
  );
  const [only] = fit;
  if (!only) throw new Refused("none", none);
  if (fit.length === 1) return { spectask: only.spectask, run: only.session.id };
  const picked = await vscode.window.showQuickPick(
    fit.map(({ spectask, session }) => ({
      label: `${shortRun(session.id)}${session.task ? ` · task ${session.task}` : ""}`,
      description: title(spectask),
      detail: session.question?.text ?? session.why,
      of: { spectask, run: session.id },
    })),
    { placeHolder: "Which session?", matchOnDescription: true, matchOnDetail: true },
  );
  return picked?.of;
}

/** Throws where the person has not said yet that this folder's author is trusted: nothing is to run for a stranger's folder. */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted) {
    throw new Refused(
      "untrusted",
      "This folder is not trusted yet, so no agent may work on it. Trust it with “Workspaces: Manage Workspace Trust”.",
    );
  }
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
  const chosen = await vscode.window.showWarningMessage(`Not saved yet: ${names}. Only what is saved counts.`, "Save and Go On");
  if (chosen !== "Save and Go On") return false;
  for (const document of unsaved) await document.save();
  for (let waited = 0; waited < SETTLE_MS; waited += GLANCE_MS) {
    const { documents } = await window.connection.request("specthread/review", { id: spectask.id });
    if (unsaved.every((each) => documents.some((known) => known.text === each.getText()))) return true;
    await new Promise((resolve) => setTimeout(resolve, GLANCE_MS));
  }
  throw new Refused("unsettled", "The daemon has not taken in what you saved yet. Look at the document and try again.");
}
