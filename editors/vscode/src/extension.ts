// Begins and ends with the window; everything in between is wired up here and lives in its own file.

import * as vscode from "vscode";
import { Attention } from "./attention";
import { Comments } from "./comments";
import * as review from "./commands/review";
import * as run from "./commands/run";
import { Connection } from "./connection";
import { Refused } from "./daemon";
import { needsOf, sentence } from "./needs";
import { OverviewPanel } from "./panels/overview";
import { SessionPanels } from "./panels/session";
import { Store } from "./store";
import { SpecTasksTree } from "./tree/provider";
import { Versions } from "./versions";
import { activeLive, folders, given, type Window } from "./window";

type Command = (argument: unknown) => Promise<string | undefined>;
const SHOWN_MS = 6000;

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
      if (change.affectsConfiguration("specthread.path")) void begin(window);
    }),
    vscode.commands.registerCommand("specthread.restart", () => begin(window)),
  );
  await begin(window);
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

async function begin({ connection: reachable, store }: Window): Promise<void> {
  await reachable.start();
  if (reachable.liveness.kind === "live") await store.load();
}

/** Makes the faces, registers the commands, and returns how to bring them up to date. */
function assemble(window: Window, context: vscode.ExtensionContext): { refresh: () => void; refreshEditors: () => void } {
  const told = (error: unknown): void => {
    window.log.warn(String(error));
  };
  const tree = new SpecTasksTree(window.store, told);
  const view = vscode.window.createTreeView("specthread.spectasks", { treeDataProvider: tree, showCollapseAll: true });
  const overview = new OverviewPanel(window);
  const attention = new Attention(window.store, () => overview.isVisible);
  const versions = new Versions(window);
  const comments = new Comments(window);
  const sessions = new SessionPanels(window);
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
      const id = given(argument).id;
      const node = tree.getChildren();
      const found = Array.isArray(node) ? node.find((each) => each.key === id) : undefined;
      if (found) await view.reveal(found, { expand: true, focus: true });
    }),
  );
  const refreshEditors = (): void => {
    void vscode.commands.executeCommand("setContext", "specthread.live", activeLive(window) !== undefined);
    comments.refresh();
  };
  const refresh = (): void => {
    void vscode.commands.executeCommand("setContext", "specthread.loaded", window.store.loaded);
    void vscode.commands.executeCommand("setContext", "specthread.offline", window.connection.liveness.kind === "offline");
    tree.refresh();
    overview.refresh();
    attention.refresh(window.connection.liveness);
    versions.refresh();
    refreshEditors();
  };
  return { refresh, refreshEditors };
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
    "show-changes": (argument) => versions.showChanges(argument),
    start: of(run.start),
    "start-task": of(run.startTask),
    answer: of(run.answer),
    say: of(run.say),
    pause: of(run.pause),
    resume: of(run.resume),
    cancel: of(run.cancel),
    retry: of(run.retry),
    skip: of(run.skip),
    sync: of(run.sync),
    accept: of(run.accept),
    "open-session": (argument) => sessions.show(argument),
    "show-report": (argument) => versions.showReport(argument),
  };
}

/** Carries a command out; what was refused is said in a sentence, and a done deed in the status bar. */
async function carryOut(window: Window, command: () => Promise<string | undefined>): Promise<void> {
  try {
    const done = await command();
    if (done) vscode.window.setStatusBarMessage(`$(check) ${done}`, SHOWN_MS);
  } catch (error) {
    if (!(error instanceof Refused)) {
      window.log.error(error instanceof Error ? error : String(error));
      void vscode.window.showErrorMessage(`Specthread: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    const chosen = await vscode.window.showWarningMessage(error.message, ...(error.isUnreachable ? ["Connect", "Show the Log"] : []));
    if (chosen === "Connect") await vscode.commands.executeCommand("specthread.restart");
    if (chosen === "Show the Log") window.log.show();
  }
}

/** What the status bar opens: a list of what waits, to be answered one by one. */
async function showNeeds(window: Window): Promise<undefined> {
  const { liveness } = window.connection;
  if (liveness.kind === "offline") throw new Refused("offline", liveness.why);
  const waiting = window.store.spectasks.flatMap((spectask) => needsOf(spectask).map((need) => ({ spectask, need })));
  if (waiting.length === 0) {
    await vscode.commands.executeCommand("specthread.overview.focus");
    return undefined;
  }
  const items = waiting.map(({ spectask, need }) => ({
    label: `$(${need.look.icon}) ${need.look.word}`,
    description: spectask.id,
    detail: sentence(spectask, need),
    need,
  }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: "What waits for you", matchOnDetail: true });
  const [first] = picked?.need.actions ?? [];
  if (!picked || !first) return undefined;
  const actions = picked.need.actions;
  const action = actions.length === 1 ? first : await vscode.window.showQuickPick(actions, { placeHolder: picked.detail });
  if (action) await vscode.commands.executeCommand(action.command, action.argument);
  return undefined;
}
