// From the first sentence to the approved spec.

import * as vscode from "vscode";
import type { ReviewDocument, SpecTaskView } from "../../../protocol";
import * as boxes from "../boxes";
import { Refused } from "../daemon";
import { ENDED } from "../store";
import { taskLine } from "../task-line";
import { count, cut, title } from "../words";
import { activeLive, folders, given, liveUri, requireTrust, settleUnsaved, whichSpectask, type Given, type Window } from "../window";

type Flow = "feature" | "bugfix" | "refactor" | "quick";
const FLOWS: readonly Flow[] = ["feature", "bugfix", "refactor", "quick"];

/** Asks for a sentence and makes a SpecTask of it; whether anybody can be asked is found out before a word is typed. */
export async function newTask(window: Window): Promise<string | undefined> {
  requireTrust();
  const folder = await pickFolder();
  if (folder === undefined) return undefined;
  await window.connection.request("specthread/status", {});
  let flow: Flow = "feature";
  const question = {
    title: "New SpecTask",
    prompt: "Say in a sentence what should be built; the planner writes the spec, and nothing runs before you approve it.",
    placeholder: "Add a --json option to the list command",
    needed: "Say what should be built, or press Escape.",
    dress: (box: vscode.InputBox) => {
      turnThroughKinds(box, (kind) => (flow = kind));
    },
  };
  return boxes.ask(question, async (prompt, key) => {
    const made = await window.connection.request("specthread/new", { prompt, path: folder, flow, key });
    await window.store.load();
    return `The planner works on “${cut(title(made.spectask), 60)}”.`;
  });
}

/** Gives the box a button that turns through the kinds of work. */
function turnThroughKinds(box: vscode.InputBox, turned: (flow: Flow) => void): void {
  let flow: Flow = "feature";
  const show = (): void => {
    box.title = `New SpecTask · ${flow}`;
    box.buttons = [{ iconPath: new vscode.ThemeIcon("list-selection"), tooltip: `Kind: ${flow}. Press for the next kind.` }];
  };
  box.onDidTriggerButton(() => {
    flow = FLOWS[(FLOWS.indexOf(flow) + 1) % FLOWS.length] ?? "feature";
    turned(flow);
    show();
  });
  show();
}

async function pickFolder(): Promise<string | undefined> {
  const all = folders();
  if (all.length === 0) throw new Refused("no-folder", "Open the folder of a git repository first: the work begins from its last commit.");
  if (all.length === 1) return all[0];
  return (await vscode.window.showWorkspaceFolderPick({ placeHolder: "In which folder?" }))?.uri.fsPath;
}

/** Opens a live document in this window. */
export async function openDocument(window: Window, argument: unknown): Promise<undefined> {
  const meant = given(argument);
  const spectask = await whichSpectask(
    window,
    meant,
    (each) => each.whole?.documents.some((one) => one.digest) ?? false,
    "No SpecTask has documents yet.",
  );
  if (!spectask) return undefined;
  const written = spectask.documents.filter((each) => each.digest);
  if (written.length === 0) throw new Refused("no-document", "The planner has not written a document yet.");
  const name = (meant.task ? "tasks" : meant.document) ?? (await pickDocument(written.map((each) => each.name)));
  const document = written.find((each) => each.name === name);
  if (!document) return undefined;
  const editor = await vscode.window.showTextDocument(liveUri(spectask, document));
  if (meant.task) show(editor, taskLine(editor.document.getText(), meant.task));
  return undefined;
}

/** Puts the cursor into a line, and the line into sight. */
function show(editor: vscode.TextEditor, line: number): void {
  const range = new vscode.Range(line, 0, line, 0);
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

async function pickDocument(names: string[]): Promise<string | undefined> {
  if (names.length === 1) return names[0];
  return boxes.pick(
    names.map((each) => ({ label: each, value: each })),
    "Which document?",
  );
}

/** Opens every document that is to be approved, the first of them in front. */
export async function review(window: Window, argument: unknown): Promise<undefined> {
  const spectask = await whichSpectask(
    window,
    given(argument),
    (each) => each.state === "spec_review" || each.state === "revising",
    "No SpecTask waits for your review.",
  );
  if (!spectask) return undefined;
  const unread = spectask.documents.filter((each) => each.approval === "none" || each.approval === "void");
  for (const document of [...(unread.length ? unread : spectask.documents.filter((each) => each.digest))].reverse()) {
    await vscode.window.showTextDocument(liveUri(spectask, document), { preview: false });
  }
  return undefined;
}

/** Comments on the line the cursor is in. */
export async function comment(window: Window): Promise<string | undefined> {
  const editor = vscode.window.activeTextEditor;
  const live = activeLive(window);
  if (!editor || !live)
    throw new Refused("no-document", "Open a live document of a SpecTask first, and put the cursor into the line you mean.");
  const line = editor.selection.active.line;
  const words = editor.document.lineAt(line).text;
  const question = {
    title: `Comment on ${live.document.name}:${line + 1}`,
    prompt: cut(words, 100),
    needed: "Say what should change, or press Escape.",
  };
  const about = { id: live.spectask.id, file: live.document.name, line: line + 1, words };
  return boxes.ask(question, async (text, key) => (await window.connection.request("specthread/comment", { ...about, text, key })).text);
}

/** Approves the words a lens showed; without them, shows which words it would be and lets the person choose. */
export async function approve(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const key = crypto.randomUUID();
  if (meant.id && meant.document && meant.digest) {
    return (
      await window.connection.request("specthread/approve", {
        id: meant.id,
        documents: [{ document: meant.document, digest: meant.digest }],
        key,
      })
    ).text;
  }
  const waits = (documents: SpecTaskView["documents"]): boolean =>
    documents.some((each) => each.approval === "none" || each.approval === "void");
  const spectask = await whichSpectask(
    window,
    meant,
    (each) => !ENDED.has(each.state) && waits(each.whole?.documents ?? []),
    "No document waits for your approval.",
  );
  if (!spectask) return undefined;
  if (!(await settleUnsaved(window, spectask))) return undefined;
  const shown = await window.connection.request("specthread/review", { id: spectask.id });
  const chosen = await pickVersions(spectask, shown.documents, meant.document);
  if (!chosen?.length) return undefined;
  const documents = chosen.map((each) => ({ document: each.name, digest: each.digest }));
  return (await window.connection.request("specthread/approve", { id: spectask.id, documents, key })).text;
}

async function pickVersions(
  spectask: SpecTaskView,
  all: readonly ReviewDocument[],
  only: string | undefined,
): Promise<ReviewDocument[] | undefined> {
  const open = all.filter((each) => (each.approval === "none" || each.approval === "void") && (only === undefined || each.name === only));
  if (open.length === 0) throw new Refused("already-approved", "These words are approved already.");
  const rows = open.map((document) => ({
    label: `${document.name}.md`,
    description: `@${document.digest.slice(0, 7)}`,
    detail: `${count(document.text.split("\n").length, "line")}, last changed by ${document.author}${document.approval === "void" ? "; it changed since it was approved" : ""}`,
    value: document,
  }));
  return boxes.pickMany(
    rows,
    `Approve exactly these words of ${spectask.id}`,
    "Enter approves what is ticked; nothing runs until you start it",
  );
}

/** Sends the documents back with a message and the open comments. */
export async function requestChanges(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const meant = given(argument);
  const spectask = await whichSpectask(
    window,
    meant,
    (each) => !ENDED.has(each.state) && (each.whole?.documents.some((one) => one.digest) ?? false),
    "No SpecTask has documents to send back.",
  );
  if (!spectask) return undefined;
  if (!(await settleUnsaved(window, spectask))) return undefined;
  const open = spectask.comments.filter((each) => !each.resolved).length;
  const question = {
    title: `Request changes · ${cut(title(spectask), 60)}`,
    prompt: open
      ? `Your ${count(open, "open comment goes", "open comments go")} along; a message is not needed.`
      : "Say what should change.",
    ...(open ? {} : { needed: "Say what should change, or comment on a line first." }),
  };
  return boxes.ask(
    question,
    async (message, key) => (await window.connection.request("specthread/request-changes", { id: spectask.id, message, key })).text,
  );
}

/** Lets the server merge a newer version into the unsaved text. */
export async function bringIn(window: Window, argument: unknown): Promise<undefined> {
  const live = activeLive(window);
  const meant: Given = given(argument);
  const named = live ? { id: live.spectask.id, document: live.document.name } : {};
  await window.connection.execute("specthread.bring-in", { ...named, ...(meant as Record<string, string>) });
  return undefined;
}

/** Lets the server mend in the document in front whatever can be mended without the person; it says how much that was. */
export async function fixAll(window: Window): Promise<undefined> {
  const uri = vscode.window.activeTextEditor?.document.uri;
  await window.connection.execute("specthread.fix-all", uri ? { uri: uri.toString() } : {});
  return undefined;
}
