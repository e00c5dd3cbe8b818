// Documents that only the daemon has: what was approved, what was sent back, reports. Shown beside the live ones, never saved.

import * as vscode from "vscode";
import { Refused } from "./daemon";
import { activeLive, given, liveUri, whichSpectask, type Window } from "./window";

const SCHEME = "specthread";

type Base = "approved" | "sent-back";

export class Versions implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registered: vscode.Disposable;
  readonly onDidChange = this.changed.event;

  constructor(private readonly window: Window) {
    this.registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  /** The address says it all: `specthread:/<SpecTask>/<base>/<document>.md`, or `specthread:/<SpecTask>/report.md`. */
  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const [, id = "", kind = "", file = ""] = uri.path.split("/");
    if (kind === "report.md") return (await this.window.connection.request("specthread/report", { id })).markdown;
    const { documents } = await this.window.connection.request("specthread/review", { id });
    const document = documents.find((each) => `${each.name}.md` === file);
    return (kind === "approved" ? document?.approved_text : document?.sent_back_text) ?? "";
  }

  /** Has what is shown of a SpecTask read anew. */
  refresh(): void {
    for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === SCHEME) this.changed.fire(uri);
  }

  /** Shows what changed in a document since it was sent back, or since it was approved. */
  async showChanges(argument: unknown): Promise<undefined> {
    const meant = given(argument);
    const open = activeLive(this.window);
    const named = meant.document !== undefined;
    const spectask =
      named || !open
        ? await whichSpectask(this.window, meant, (each) => each.total > 0 || each.state !== "backlog", "No SpecTask has documents.")
        : open.spectask;
    if (!spectask) return undefined;
    const { documents } = await this.window.connection.request("specthread/review", { id: spectask.id });
    const differs = documents.flatMap((each) => {
      const base = baseOf(each);
      return base ? [{ document: each, base }] : [];
    });
    const name = meant.document ?? open?.document.name;
    const found =
      differs.find((each) => each.document.name === name) ??
      (name === undefined
        ? await this.pick(
            differs.map((each) => each.document.name),
            differs,
          )
        : undefined);
    if (!found) {
      if (name === undefined && differs.length > 0) return undefined;
      throw new Refused(
        "no-changes",
        "Nothing to compare with: this document is as it was approved, or was never approved and never sent back.",
      );
    }
    const { document, base } = found;
    const before = vscode.Uri.from({ scheme: SCHEME, path: `/${spectask.id}/${base}/${document.name}.md` });
    this.changed.fire(before);
    const words = base === "approved" ? "approved ↔ now" : "sent back ↔ revised";
    await vscode.commands.executeCommand("vscode.diff", before, liveUri(spectask, document), `${document.name}.md (${words})`);
    return undefined;
  }

  private async pick<T extends { document: { name: string } }>(names: string[], all: T[]): Promise<T | undefined> {
    const name = names.length > 1 ? await vscode.window.showQuickPick(names, { placeHolder: "Which document?" }) : names[0];
    return all.find((each) => each.document.name === name);
  }

  /** Shows the report of a SpecTask as it is now. */
  async showReport(argument: unknown): Promise<undefined> {
    const spectask = await whichSpectask(
      this.window,
      given(argument),
      (each) => each.state !== "backlog",
      "No SpecTask has anything to report.",
    );
    if (!spectask) return undefined;
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${spectask.id}/report.md` });
    this.changed.fire(uri);
    await vscode.commands.executeCommand("markdown.showPreview", uri);
    return undefined;
  }

  dispose(): void {
    this.registered.dispose();
    this.changed.dispose();
  }
}

/** What a document is best compared with: what was last sent back, else what was approved; nothing where it says the same. */
function baseOf(document: { text: string; approved_text: string; sent_back_text: string }): Base | undefined {
  if (document.sent_back_text && document.sent_back_text !== document.text) return "sent-back";
  if (document.approved_text && document.approved_text !== document.text) return "approved";
  return undefined;
}
