// The overview in the side bar: what waits for a person, to be answered in place, and every SpecTask as one card.

import * as vscode from "vscode";
import { running } from "../attention";
import type { Window } from "../window";
import { ordered } from "./allowed";
import { overview } from "./overview-model";
import { page } from "./page";

const AGES_MS = 30_000;

export class OverviewPanel implements vscode.WebviewViewProvider, vscode.Disposable {
  private view: vscode.WebviewView | undefined;
  private readonly timer = setInterval(() => {
    this.refresh();
  }, AGES_MS);

  constructor(private readonly window: Window) {}

  /** Whether a person can see it now. */
  get isVisible(): boolean {
    return (this.view?.visible ?? false) && vscode.window.state.focused;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    view.webview.html = page(view.webview, this.window.extension, "overview");
    view.webview.onDidReceiveMessage((message: unknown) => {
      const order = ordered("overview", message);
      if (order) void vscode.commands.executeCommand(order.command, order.argument);
      else this.refresh();
    });
    view.onDidChangeVisibility(() => {
      this.refresh();
    });
    view.onDidDispose(() => (this.view = undefined));
  }

  refresh(): void {
    if (!this.view?.visible) return;
    const { store, connection } = this.window;
    const model = overview(store.spectasks, {
      liveness: connection.liveness,
      loaded: store.loaded,
      trusted: vscode.workspace.isTrusted,
      running: store.spectasks.reduce((sum, each) => sum + running(each), 0),
      now: Date.now(),
    });
    void this.view.webview.postMessage(model);
  }

  dispose(): void {
    clearInterval(this.timer);
  }
}
