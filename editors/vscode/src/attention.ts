// What reaches a person unasked: the status bar, the badge, and a notification when something new waits for them.

import * as vscode from "vscode";
import { tell } from "./boxes";
import type { Liveness } from "./connection";
import { isNews, needsOf, notified, sentence, statusText, type Need } from "./needs";
import type { SpecTask, Store } from "./store";

const WORKING = new Set(["starting", "running", "verifying", "merging", "interrupted"]);

/** How many runs of a SpecTask are at work. */
export function running(spectask: SpecTask): number {
  if (!spectask.whole || spectask.whole.paused) return 0;
  return [...spectask.whole.planning, ...spectask.whole.sessions].filter((each) => WORKING.has(each.status)).length;
}

export class Attention implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("specthread.status", vscode.StatusBarAlignment.Left, 50);
  private known: Set<string> | undefined;

  constructor(
    private readonly store: Store,
    private readonly isWatched: (need: Need) => boolean,
    private readonly badged: vscode.TreeView<unknown>,
  ) {
    this.item.name = "Specthread";
    this.item.command = "specthread.show-needs";
    this.item.show();
  }

  /** Tells how things are. */
  refresh(liveness: Liveness): void {
    const spectasks = this.store.spectasks;
    const needs = spectasks.flatMap((each) => needsOf(each).map((need) => ({ spectask: each, need })));
    this.showStatus(liveness, needs.length);
    // The tree is there from the start, the overview only once somebody has looked into the side bar.
    this.badged.badge = needs.length ? { value: needs.length, tooltip: `${needs.length} waiting for you` } : undefined;
    if (liveness.kind !== "live" || !this.store.loaded) return;
    const before = this.known;
    this.known = new Set(needs.map(({ need }) => need.key));
    if (!before) return; // what waited already is in the panel; only news are worth a notification
    for (const { spectask, need } of needs) {
      const isWorth = !before.has(need.key) && isNews(spectask, need.kind) && !this.isWatched(need);
      if (isWorth) void this.notify(spectask, need);
    }
  }

  private showStatus(liveness: Liveness, needed: number): void {
    const text = statusText(this.store.spectasks.map((each) => ({ state: each.state, needs: each.needs, running: running(each) })));
    const offline = liveness.kind === "offline";
    this.item.text = offline ? "$(debug-disconnect) Specthread" : `$(git-pull-request-draft) ${text || "Specthread"}`;
    this.item.tooltip = offline ? liveness.why : text ? "Show what waits for you" : "Specthread: nothing runs, nothing waits for you";
    this.item.backgroundColor = needed && !offline ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }

  private async notify(spectask: SpecTask, need: Need): Promise<void> {
    const actions = notified(need);
    const chosen = await tell("information", sentence(spectask, need), ...actions.map((each) => each.label));
    const action = actions.find((each) => each.label === chosen);
    if (!action) return;
    if (!this.known?.has(need.key)) {
      void tell("information", "That was settled meanwhile. The overview shows what waits for you now.");
      return;
    }
    await vscode.commands.executeCommand(action.command, action.argument);
  }

  dispose(): void {
    this.item.dispose();
  }
}
