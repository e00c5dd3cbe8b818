// Begins and ends with the window; everything in between is wired up here and lives in its own file.

import * as vscode from "vscode";
import { Attention } from "./attention";
import { done, pick, tell } from "./boxes";
import { Comments } from "./comments";
import { openPullRequest } from "./commands/pullRequest";
import * as review from "./commands/review";
import * as run from "./commands/run";
import { Connection } from "./connection";
import { Refused } from "./daemon";
import { isSpec } from "./documents";
import { needsOf, sentence } from "./needs";
import { OverviewPanel } from "./panels/overview";
import { SessionPanels } from "./panels/session";
import { ENDED, Store } from "./store";
import { SpecTasksTree } from "./tree/provider";
import { Versions } from "./versions";
import { activeLive, folders, given, type Live, type Window } from "./window";

type Command = (argument: unknown) => Promise<string | undefined>;

let connection: Connection | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("Specthread", { log: true });
  connection = new Connection(log);
  const reachable = connection;
  const store = new Store(
    reachable,
    folders,
    () => {
      parts.refresh();
    },
    (error) => {
      log.warn(String(error));
    },
  );
  const window: Window = { connection: reachable, store, log, extension: context.extensionUri };
  const parts = assemble(window, context);

  context.subscriptions.push(
    log,
    reachable,
    store,
    reachable.onEvent((event) => {
      store.event(event);
    }),
    reachable.onDidBegin(() => void store.load()),
    reachable.onGap(() => void store.load()),
    reachable.onDidChangeLiveness(() => {
      parts.refresh();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void store.load()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      parts.refresh();
    }),
    vscode.window.onDidChangeVisibleTextEditors(() => {
      parts.refreshEditors();
    }),
    vscode.window.onDidChangeActiveTextEditor(() => {
      parts.refreshEditors();
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("specthread.path")) void reachable.start();
    }),
    vscode.commands.registerCommand("specthread.restart", () => reachable.start()),
  );
  await reachable.start();
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** Makes the faces, registers the commands, and returns how to bring them up to date. */
function assemble(window: Window, context: vscode.ExtensionContext): { refresh: () => void; refreshEditors: () => void } {
  const told = (error: unknown): void => {
    window.log.warn(String(error));
  };
  const tree = new SpecTasksTree(window.store, told);
  const view = vscode.window.createTreeView("specthread.spectasks", { treeDataProvider: tree, showCollapseAll: true });
  const overview = new OverviewPanel(window);
  const versions = new Versions(window);
  const comments = new Comments(window);
  const sessions = new SessionPanels(window);
  // What is before the person's eyes already needs no notification.
  const attention = new Attention(window.store, (need) => overview.isVisible || sessions.isVisible(need.run), view);
  const commands = commandsOf(window, versions, sessions);
  context.subscriptions.push(
    view,
    overview,
    attention,
    versions,
    comments,
    sessions,
    vscode.window.registerWebviewViewProvider("specthread.overview", overview, { webviewOptions: { retainContextWhenHidden: true } }),
    ...Object.entries(commands).map(([name, command]) =>
      vscode.commands.registerCommand(`specthread.${name}`, (argument: unknown) => carryOut(window, () => command(argument))),
    ),
    vscode.commands.registerCommand("specthread.add-comment", (reply: vscode.CommentReply) => carryOut(window, () => comments.add(reply))),
    vscode.commands.registerCommand("specthread.resolve-comment", (thread: vscode.CommentThread) =>
      carryOut(window, () => comments.resolve(thread)),
    ),
    vscode.commands.registerCommand("specthread.show-log", () => {
      window.log.show();
    }),
    vscode.commands.registerCommand("specthread.show-needs", () => carryOut(window, () => showNeeds(window))),
    vscode.commands.registerCommand("specthread.reveal", async (argument: unknown) => {
      const found = tree.find(given(argument).id ?? "");
      if (found) await view.reveal(found, { expand: true, focus: true });
    }),
    vscode.commands.registerCommand("specthread.manage-trust", () => vscode.commands.executeCommand("workbench.trust.manage")),
  );
  const refreshEditors = (): void => {
    for (const [key, value] of Object.entries(editorContext(activeLive(window)))) {
      void vscode.commands.executeCommand("setContext", `specthread.${key}`, value);
    }
    void vscode.commands.executeCommand("setContext", "specthread.spec", isSpec(vscode.window.activeTextEditor?.document));
    comments.refresh();
  };
  const refresh = (): void => {
    void vscode.commands.executeCommand("setContext", "specthread.loaded", window.store.loaded);
    void vscode.commands.executeCommand("setContext", "specthread.offline", window.connection.liveness.kind === "offline");
    tree.refresh();
    overview.refresh();
    attention.refresh(window.connection.liveness);
    versions.refresh();
    sessions.refresh();
    refreshEditors();
  };
  return { refresh, refreshEditors };
}

/** What the editor in front offers: whether it shows a live document, and whether that, or another one of its SpecTask, is to be approved. */
function editorContext(live: Live | undefined): Record<"live" | "approvable" | "returnable", boolean> {
  const isOpen = (document: Live["document"]): boolean => document.approval === "none" || document.approval === "void";
  const isGoing = live !== undefined && !ENDED.has(live.spectask.state);
  return {
    live: live !== undefined,
    approvable: isGoing && isOpen(live.document),
    returnable: isGoing && live.spectask.documents.some(isOpen),
  };
}

function commandsOf(window: Window, versions: Versions, sessions: SessionPanels): Record<string, Command> {
  const of =
    (command: (window: Window, argument: unknown) => Promise<string | undefined>): Command =>
    (argument) =>
      command(window, argument);
  return {
    "new-task": of(review.newTask),
    "open-document": of(review.openDocument),
    review: of(review.review),
    comment: of(review.comment),
    approve: of(review.approve),
    "request-changes": of(review.requestChanges),
    "bring-in": of(review.bringIn),
    "fix-all": of(review.fixAll),
    "show-changes": (argument) => versions.showChanges(argument),
    start: of(run.start),
    "start-task": of(run.startTask),
    answer: of(run.answer),
    say: of(run.say),
    "spawn-session": of(run.spawn),
    pause: of(run.pause),
    resume: of(run.resume),
    cancel: of(run.cancel),
    retry: of(run.retry),
    skip: of(run.skip),
    sync: of(run.sync),
    accept: of(run.accept),
    land: of(run.land),
    "open-pull-request": of(openPullRequest),
    "open-session": (argument) => sessions.show(argument),
    "show-report": (argument) => versions.showReport(argument),
    trace: (argument) => versions.showTrace(argument),
  };
}

/** Carries a command out and returns what was done; what was refused is said in a sentence, and a done deed in the status bar. */
async function carryOut(window: Window, command: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    const text = await command();
    if (text) done(text);
    return text;
  } catch (error) {
    void explain(window, error);
    return undefined;
  }
}

async function explain(window: Window, error: unknown): Promise<void> {
  if (!(error instanceof Refused)) {
    window.log.error(error instanceof Error ? error : String(error));
    await tell("error", `Specthread: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  const chosen = await tell("warning", error.message, ...(WAYS_ON[error.isUnreachable ? "offline" : error.code] ?? []));
  if (chosen === CONNECT) await vscode.commands.executeCommand("specthread.restart");
  if (chosen === LOG) window.log.show();
  if (chosen === TRUST) await vscode.commands.executeCommand("specthread.manage-trust");
}

const CONNECT = "Connect";
const LOG = "Show the Log";
const TRUST = "Manage Trust";
/** Buttons beside a refusal, by its code. */
const WAYS_ON: Record<string, string[]> = { offline: [CONNECT, LOG], untrusted: [TRUST] };

/** What the status bar opens: a list of what waits, to be answered one by one. */
async function showNeeds(window: Window): Promise<undefined> {
  if (window.connection.liveness.kind === "offline") throw new Refused("offline", window.connection.whyOffline);
  const waiting = window.store.spectasks.flatMap((spectask) => needsOf(spectask).map((need) => ({ spectask, need })));
  if (waiting.length === 0) {
    await vscode.commands.executeCommand("specthread.overview.focus");
    return undefined;
  }
  const rows = waiting.map(({ spectask, need }) => ({
    label: need.look.word,
    icon: need.look.icon,
    description: spectask.id,
    detail: sentence(spectask, need),
    value: { need, said: sentence(spectask, need) },
  }));
  const picked = await pick(rows, "What waits for you");
  const [first] = picked?.need.actions ?? [];
  if (!picked || !first) return undefined;
  const actions = picked.need.actions.map((each) => ({ label: each.label, value: each }));
  const action = actions.length === 1 ? first : await pick(actions, picked.said);
  if (action) await vscode.commands.executeCommand(action.command, action.argument);
  return undefined;
}
