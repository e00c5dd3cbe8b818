// Review comments as threads in the margin of live documents.

import * as vscode from "vscode";
import type { CommentView } from "../../protocol";
import { ask } from "./boxes";
import { commentLook, hasThreads } from "./comment-look";
import { Refused } from "./daemon";
import { liveAt, type Window } from "./window";

class Said implements vscode.Comment {
  readonly mode = vscode.CommentMode.Preview;
  readonly author: vscode.CommentAuthorInformation;
  readonly body: vscode.MarkdownString;

  constructor(author: string, text: string) {
    this.author = { name: author };
    // What others write is read as text, never as links and pictures.
    this.body = new vscode.MarkdownString().appendText(text);
  }
}

interface Shown {
  thread: vscode.CommentThread;
  spectask: string;
  as: string;
}

export class Comments implements vscode.Disposable {
  private readonly controller = vscode.comments.createCommentController("specthread", "Specthread review");
  private readonly shown = new Map<string, Shown>();
  private drawing: Promise<void> = Promise.resolve();

  constructor(private readonly window: Window) {
    this.controller.options = { placeHolder: "What should change?", prompt: "Comment for the planner…" };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) => {
        if (!liveAt(window, document.uri)) return undefined;
        return [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)];
      },
    };
  }

  /** Shows the comments of every live document that is visible as they are now. */
  refresh(): void {
    this.drawing = this.drawing
      .then(() => this.draw())
      .catch((error: unknown) => {
        this.window.log.warn(String(error));
      });
  }

  private async draw(): Promise<void> {
    // To ask is to start a daemon that was stopped; that is for the person to do.
    if (this.window.connection.liveness.kind !== "live") return;
    const live = vscode.window.visibleTextEditors.flatMap(({ document }) => {
      const found = liveAt(this.window, document.uri);
      return found ? [{ ...found, uri: document.uri }] : [];
    });
    const present = new Set<string>();
    for (const id of new Set(live.map((each) => each.spectask.id))) {
      const commented = live.filter((each) => each.spectask.id === id && hasThreads(each.spectask.comments));
      if (commented.length === 0) continue;
      const { comments } = await this.window.connection.request("specthread/review", { id });
      for (const { uri, document } of commented) {
        for (const comment of comments.filter((each) => each.document === document.name)) {
          present.add(comment.id);
          this.show(id, uri, comment);
        }
      }
    }
    for (const [id, { thread, spectask }] of this.shown) {
      const isVisible = live.some((each) => each.spectask.id === spectask);
      if (present.has(id) || !isVisible) continue;
      thread.dispose();
      this.shown.delete(id);
    }
  }

  private show(spectask: string, uri: vscode.Uri, comment: CommentView): void {
    const look = commentLook(comment);
    const as = JSON.stringify([uri.fsPath, look]);
    const known = this.shown.get(comment.id);
    if (known?.as === as) return;
    known?.thread.dispose();
    const thread = this.controller.createCommentThread(
      uri,
      new vscode.Range(look.line, 0, look.line, 0),
      look.said.map((each) => new Said(each.author, each.text)),
    );
    thread.canReply = false;
    thread.label = look.label;
    thread.contextValue = `${look.isSettled ? "settled" : "open"} ${comment.id}`;
    thread.state = look.isSettled ? vscode.CommentThreadState.Resolved : vscode.CommentThreadState.Unresolved;
    const { Collapsed, Expanded } = vscode.CommentThreadCollapsibleState;
    thread.collapsibleState = look.isSettled ? Collapsed : Expanded;
    this.shown.set(comment.id, { thread, spectask, as });
  }

  /** Sends what was typed into a new thread. */
  async add(reply: vscode.CommentReply): Promise<string | undefined> {
    const live = liveAt(this.window, reply.thread.uri);
    const line = reply.thread.range.start.line;
    const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === reply.thread.uri.toString());
    if (!live || !document || !reply.text.trim()) return undefined;
    const about = {
      id: live.spectask.id,
      file: live.document.name,
      line: line + 1,
      words: document.lineAt(Math.min(line, document.lineCount - 1)).text,
    };
    const send = async (text: string, key: string): Promise<string> =>
      (await this.window.connection.request("specthread/comment", { ...about, text, key })).text;
    const done = await send(reply.text, crypto.randomUUID()).catch((error: unknown) => askAgain(error, about, reply.text, send));
    // The comment comes back with the next event, at the place of its words.
    if (done !== undefined) reply.thread.dispose();
    return done;
  }

  /** Settles a comment. */
  async resolve(thread: vscode.CommentThread): Promise<string | undefined> {
    const found = [...this.shown].find(([, each]) => each.thread === thread);
    if (!found) return undefined;
    const [comment, { spectask }] = found;
    return (await this.window.connection.request("specthread/resolve", { id: spectask, comment, key: crypto.randomUUID() })).text;
  }

  dispose(): void {
    this.controller.dispose();
  }
}

/** The margin empties its box when it has sent it, so words that were refused are kept in another one. */
function askAgain(
  error: unknown,
  { file, line }: { file: string; line: number },
  text: string,
  send: (text: string, key: string) => Promise<string>,
): Promise<string | undefined> {
  if (!(error instanceof Refused)) throw error;
  const question = { title: `Comment on ${file}:${line}`, prompt: "What should change?", refused: { text, why: error.message } };
  return ask(question, send);
}
