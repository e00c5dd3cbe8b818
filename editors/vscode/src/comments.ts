// Review comments as threads in the margin of live documents.

import * as vscode from "vscode";
import type { CommentView } from "../../protocol";
import { liveAt, type Window } from "./window";

class Said implements vscode.Comment {
  readonly mode = vscode.CommentMode.Preview;
  readonly author: vscode.CommentAuthorInformation;
  readonly body: vscode.MarkdownString;

  constructor(author: string, text: string) {
    this.author = { name: author };
    this.body = new vscode.MarkdownString(text);
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
    const live = vscode.window.visibleTextEditors.flatMap(({ document }) => {
      const found = liveAt(this.window, document.uri);
      return found ? [{ ...found, uri: document.uri }] : [];
    });
    const present = new Set<string>();
    for (const id of new Set(live.map((each) => each.spectask.id))) {
      const commented = live.filter((each) => each.spectask.id === id && each.spectask.comments.some((one) => !one.resolved));
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
    const line = Math.max(0, comment.line - 1);
    const as = JSON.stringify([uri.fsPath, line, comment.answer]);
    const known = this.shown.get(comment.id);
    if (known?.as === as) return;
    known?.thread.dispose();
    const said = [new Said(comment.author, comment.text), ...(comment.answer ? [new Said("Planner", comment.answer)] : [])];
    const thread = this.controller.createCommentThread(uri, new vscode.Range(line, 0, line, 0), said);
    thread.canReply = false;
    thread.label = comment.line ? "Open comment" : "Open comment; its words are gone";
    thread.contextValue = `open ${comment.id}`;
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    this.shown.set(comment.id, { thread, spectask, as });
  }

  /** Sends what was typed into a new thread. */
  async add(reply: vscode.CommentReply): Promise<string | undefined> {
    const live = liveAt(this.window, reply.thread.uri);
    const line = reply.thread.range.start.line + 1;
    if (!live || !reply.text.trim()) return undefined;
    const done = await this.window.connection.request("specthread/comment", {
      id: live.spectask.id,
      file: live.document.name,
      line,
      text: reply.text,
      key: crypto.randomUUID(),
    });
    // The comment comes back with the next event, at the place of its words.
    reply.thread.dispose();
    return done.text;
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
