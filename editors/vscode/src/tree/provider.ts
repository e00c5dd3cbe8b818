// The SpecTasks tree of the side bar.

import * as vscode from "vscode";
import type { Store } from "../store";
import type { Tone } from "../words";
import { roots, type Node } from "./nodes";

const COLOURS: Record<Tone, string | undefined> = {
  idle: undefined,
  live: "charts.blue",
  verify: "terminal.ansiCyan",
  wait: "charts.yellow",
  ok: "charts.green",
  merged: "charts.purple",
  fail: "charts.red",
  stuck: "charts.orange",
};

export class SpecTasksTree implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  private parents = new Map<string, Node>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly store: Store,
    private readonly failed: (error: unknown) => void,
  ) {}

  refresh(): void {
    this.changed.fire(undefined);
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, collapsible(node));
    item.id = node.key;
    item.description = node.description;
    item.contextValue = node.context;
    // Agents and repositories wrote most of it, so it is text and nothing else.
    if (node.tooltip) item.tooltip = new vscode.MarkdownString().appendText(node.tooltip);
    if (node.look.icon) {
      const colour = COLOURS[node.look.tone];
      item.iconPath = new vscode.ThemeIcon(node.look.icon, colour === undefined ? undefined : new vscode.ThemeColor(colour));
      item.accessibilityInformation = { label: `${node.label}, ${node.look.word}, ${node.description}` };
    }
    const command = opens(node);
    if (command) item.command = { command, title: "Open", arguments: [node] };
    return item;
  }

  getChildren(node?: Node): Node[] | Thenable<Node[]> {
    if (!node) return this.roots();
    return node.children ?? (node.kind === "spectask" ? this.loaded(node.spectask) : []);
  }

  /** Returns the node of a SpecTask, wherever it stands. */
  find(id: string): Node | undefined {
    return this.roots()
      .flatMap((root) => [root, ...(root.kind === "ended" ? root.children : [])])
      .find((each) => each.key === id);
  }

  /** The roots as they are now; who stands under whom is noted for whatever is revealed. */
  private roots(): Node[] {
    const all = roots(this.store.spectasks, Date.now());
    this.parents = new Map();
    const note = (node: Node): void => {
      for (const child of node.children ?? []) {
        this.parents.set(child.key, node);
        note(child);
      }
    };
    all.forEach(note);
    return all;
  }

  /** Needed to reveal a node. */
  getParent(node: Node): Node | undefined {
    return this.parents.get(node.key);
  }

  /** What ended is asked for only when somebody looks into it. */
  private async loaded(id: string): Promise<Node[]> {
    try {
      await this.store.whole(id);
    } catch (error) {
      this.failed(error);
      return [];
    }
    return this.find(id)?.children ?? [];
  }
}

function collapsible(node: Node): vscode.TreeItemCollapsibleState {
  if (node.kind === "document" || node.kind === "task" || node.kind === "run") return vscode.TreeItemCollapsibleState.None;
  return node.open ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed;
}

function opens(node: Node): string | undefined {
  switch (node.kind) {
    case "document":
      return node.context.includes("written") ? "specthread.open-document" : undefined;
    case "run":
      return "specthread.open-session";
    case "task":
      return node.run ? "specthread.open-session" : "specthread.open-document";
    case "ended":
    case "group":
    case "spectask":
      return undefined;
  }
}
