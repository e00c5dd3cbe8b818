// One editor tab per session: its transcript from the first entry on, the words as they come, and the answer box.

import * as vscode from "vscode";
import type { EventView, Tick } from "../../../protocol";
import { shortRun } from "../words";
import { whichRun, given, type Window } from "../window";
import { page } from "./page";
import { head, type FromSession, type ToSession } from "./session-model";

const TYPE = "specthread.session";
const GATHER_MS = 100;

export class SessionPanels implements vscode.WebviewPanelSerializer<{ run?: string }>, vscode.Disposable {
  private readonly open = new Map<string, SessionPanel>();
  private readonly registered: vscode.Disposable;

  constructor(private readonly window: Window) {
    this.registered = vscode.Disposable.from(
      vscode.window.registerWebviewPanelSerializer(TYPE, this),
      window.connection.onEvent((event) => {
        this.event(event);
      }),
      window.connection.onTick((tick) => {
        this.tick(tick);
      }),
      window.connection.onGap(() => {
        for (const panel of this.open.values()) panel.reload();
      }),
    );
  }

  /** Opens the transcript of a run, or brings it to the front. */
  async show(argument: unknown): Promise<undefined> {
    const found = await whichRun(this.window, given(argument), () => true, "No session has begun yet.");
    if (!found) return undefined;
    const known = this.open.get(found.run);
    if (known) known.panel.reveal();
    else
      this.take(
        found.run,
        vscode.window.createWebviewPanel(TYPE, shortRun(found.run), vscode.ViewColumn.Active, {
          enableFindWidget: true,
          retainContextWhenHidden: true,
        }),
      );
    return undefined;
  }

  /** Takes a panel over that was open when the window was reloaded. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: { run?: string } | undefined): Promise<void> {
    if (state?.run) this.take(state.run, panel);
    else panel.dispose();
    return Promise.resolve();
  }

  private take(run: string, panel: vscode.WebviewPanel): void {
    this.open.set(run, new SessionPanel(this.window, run, panel));
    panel.onDidDispose(() => this.open.delete(run));
  }

  private event(event: EventView): void {
    for (const [run, panel] of this.open) if (Object.values(event.payload).includes(run)) panel.refresh();
  }

  private tick(tick: Tick): void {
    this.open.get(tick.run)?.say(tick.text);
  }

  dispose(): void {
    this.registered.dispose();
  }
}

class SessionPanel {
  private seq = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: Promise<void> = Promise.resolve();
  private isReady = false;

  constructor(
    private readonly window: Window,
    private readonly run: string,
    readonly panel: vscode.WebviewPanel,
  ) {
    panel.iconPath = vscode.Uri.joinPath(window.extension, "media", "specthread.svg");
    panel.webview.onDidReceiveMessage((message: FromSession) => {
      if (message.kind === "run") void vscode.commands.executeCommand(message.command, message.argument);
      else {
        this.isReady = true;
        this.reload();
      }
    });
    panel.onDidDispose(() => {
      clearTimeout(this.timer);
    });
    panel.webview.html = page(panel.webview, window.extension, "session");
  }

  /** Reads everything anew. */
  reload(): void {
    this.seq = 0;
    this.read();
  }

  /** Reads what is new, a moment later. */
  refresh(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.read();
    }, GATHER_MS);
  }

  /** Shows words while they come. */
  say(text: string): void {
    if (this.isReady) this.tell({ kind: "text", text });
  }

  private read(): void {
    if (!this.isReady) return;
    this.asking = this.asking
      .then(async () => {
        let more = true;
        while (more) {
          const since = this.seq;
          const page = await this.window.connection.request("specthread/transcript", { run: this.run, since });
          this.seq = page.seq;
          more = page.more;
          this.panel.title = `${shortRun(this.run)} ${page.title}`;
          this.tell({ kind: "head", head: head(page, Date.now()) });
          if (page.entries.length > 0 || since === 0) this.tell({ kind: "entries", entries: page.entries, fresh: since === 0 });
        }
      })
      .catch((error: unknown) => {
        this.tell({ kind: "told", text: error instanceof Error ? error.message : String(error), wrong: true });
      });
  }

  private tell(message: ToSession): void {
    void this.panel.webview.postMessage(message);
  }
}
