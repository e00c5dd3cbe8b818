// What reaches a person unasked: the status bar, the badge, and a notification when something new waits for them.

import * as vscode from "vscode";
import type { Liveness } from "./connection";
import { needsOf, sentence, statusText, type Need } from "./needs";
import type { SpecTask, Store } from "./store";

const WORKING = new Set(["pending", "starting", "running", "verifying", "merging", "interrupted"]);
/** Needs that pass by themselves, or that the person has just made. */
const QUIET = new Set(["trouble"]);

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
    private readonly isWatched: () => boolean,
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
    if (liveness.kind !== "live" || !this.store.loaded) return;
    const before = this.known;
    this.known = new Set(needs.map(({ need }) => need.key));
    if (!before) return; // what waited already is in the panel; only news are worth a notification
    for (const { spectask, need } of needs) {
      const kind = need.key.split("|")[1] ?? "";
      const isNews = !before.has(need.key) && !QUIET.has(kind) && !(kind === "resume" && spectask.whole?.paused);
      if (isNews && !this.isWatched()) void this.notify(spectask, need);
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
    const labels = need.actions.slice(0, 3).map((each) => each.label);
    const chosen = await vscode.window.showInformationMessage(sentence(spectask, need), ...labels);
    const action = need.actions.find((each) => each.label === chosen);
    if (!action) return;
    if (!this.known?.has(need.key)) {
      void vscode.window.showInformationMessage("That was answered meanwhile.");
      return;
    }
    await vscode.commands.executeCommand(action.command, action.argument);
  }

  dispose(): void {
    this.item.dispose();
  }
}
