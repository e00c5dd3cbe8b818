// One editor tab per session: its transcript from the first entry on, the words as they come, and the answer box.

import * as vscode from "vscode";
import type { EventView, Tick, TranscriptResult } from "../../../protocol";
import { shortRun, spectaskOf } from "../words";
import { whichRun, given, type Window } from "../window";
import { ordered } from "./allowed";
import { page } from "./page";
import { concerns, head, type ToSession } from "./session-model";

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
      window.connection.onDidBegin(() => {
        this.reload();
      }),
      window.connection.onGap(() => {
        this.reload();
      }),
    );
  }

  /** Opens the transcript of a run, or brings it to the front. */
  async show(argument: unknown): Promise<undefined> {
    const found = await whichRun(this.window, given(argument), () => true, "No session has begun yet.");
    if (!found) return undefined;
    const run = found.run.id;
    const known = this.open.get(run);
    if (known) known.panel.reveal();
    else
      this.take(
        run,
        vscode.window.createWebviewPanel(TYPE, shortRun(run), vscode.ViewColumn.Active, {
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

  /** Shows what is known without asking: whether the SpecTask is paused, and whether anybody can be asked. */
  refresh(): void {
    for (const panel of this.open.values()) panel.showHead();
  }

  /** Whether a person can see the tab of a run now. */
  isVisible(run: string): boolean {
    return (this.open.get(run)?.panel.visible ?? false) && vscode.window.state.focused;
  }

  private reload(): void {
    for (const panel of this.open.values()) panel.reload();
  }

  private event(event: EventView): void {
    for (const [run, panel] of this.open) if (concerns(event, run)) panel.refresh();
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
  private last: TranscriptResult | undefined;

  constructor(
    private readonly window: Window,
    private readonly run: string,
    readonly panel: vscode.WebviewPanel,
  ) {
    panel.iconPath = vscode.Uri.joinPath(window.extension, "media", "specthread.svg");
    panel.webview.onDidReceiveMessage((message: unknown) => {
      void this.hear(message);
    });
    panel.onDidDispose(() => {
      clearTimeout(this.timer);
    });
    panel.webview.html = page(panel.webview, window.extension, "session");
  }

  private async hear(message: unknown): Promise<void> {
    const order = ordered("session", message);
    if (!order) {
      this.isReady = true;
      this.reload();
      return;
    }
    const done = await vscode.commands.executeCommand<string | undefined>(order.command, order.argument);
    if (order.argument.text) this.tell({ kind: "sent", isTaken: done !== undefined });
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
          this.last = page;
          this.showHead();
          if (page.entries.length > 0 || since === 0) this.tell({ kind: "entries", entries: page.entries, fresh: since === 0 });
        }
      })
      .catch((error: unknown) => {
        this.tell({ kind: "trouble", text: error instanceof Error ? error.message : String(error) });
      });
  }

  /** Shows what stands above the transcript. */
  showHead(): void {
    if (!this.isReady || !this.last) return;
    const { store, connection } = this.window;
    const isHeld = store.get(spectaskOf(this.run))?.whole?.paused ?? false;
    const offline = connection.liveness.kind === "offline" ? connection.whyOffline : "";
    this.tell({ kind: "head", head: head(this.last, { isHeld, offline, now: Date.now() }) });
  }

  private tell(message: ToSession): void {
    void this.panel.webview.postMessage(message);
  }
}
