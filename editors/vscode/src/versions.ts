// Documents that only the daemon has: what was approved, what was sent back, reports. Shown beside the live ones, never saved.

import { createHash } from "node:crypto";
import * as vscode from "vscode";
import type { ReviewDocument, SpecTaskView } from "../../protocol";
import { pick } from "./boxes";
import { Refused } from "./daemon";
import { harmless } from "./plain";
import type { SpecTask } from "./store";
import { tracePage } from "./trace";
import { activeLive, given, liveUri, whichSpectask, type Window } from "./window";

const SCHEME = "specthread";

const NOTHING = "Nothing to compare with: these words are as they were approved, or were never approved and never sent back.";

type Base = "approved" | "sent-back";

export class Versions implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registered: vscode.Disposable;
  private readonly kept = new Map<string, string>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly window: Window) {
    this.registered = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.kept.delete(uri.toString())),
    );
  }

  /**
   * The address says it all: `specthread:/<SpecTask>/<base>/<document>.md?<digest>`, `specthread:/<SpecTask>/report.md`, or `…/trace.md`.
   * A text that was shown once stays what it was, whatever is approved or sent back meanwhile.
   */
  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const kept = this.kept.get(uri.toString());
    if (kept !== undefined) return kept;
    const [, id = "", kind = "", ...names] = uri.path.split("/");
    if (kind === "report.md") return harmless((await this.window.connection.request("specthread/report", { id })).markdown);
    if (kind === "trace.md") return harmless(tracePage(await this.window.connection.request("specthread/trace", { id })));
    const { documents } = await this.window.connection.request("specthread/review", { id });
    const document = documents.find((each) => `${each.name}.md` === names.join("/"));
    const now = [document?.approved_text, document?.sent_back_text].find((each) => each && digest(each) === uri.query);
    return now ?? "This version is not at hand any more. “Specthread: Show Changes” compares with the one that is.\n";
  }

  /** Has the reports and traces that are shown read anew. */
  refresh(): void {
    for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === SCHEME && !uri.query) this.changed.fire(uri);
  }

  /** Shows what changed in a document since it was sent back, or since it was approved. */
  async showChanges(argument: unknown): Promise<undefined> {
    const meant = given(argument);
    const open = meant.document === undefined ? activeLive(this.window) : undefined;
    const spectask =
      open?.spectask ??
      (await whichSpectask(this.window, meant, (each) => each.total > 0 || each.state !== "backlog", "No SpecTask has documents."));
    if (!spectask) return undefined;
    const { documents } = await this.window.connection.request("specthread/review", { id: spectask.id });
    const differing = documents.filter((each) => baseOf(each) !== undefined);
    const name = meant.document ?? open?.document.name ?? (await this.pickDocument(differing.map((each) => each.name)));
    if (name === undefined) return undefined;
    const document = differing.find((each) => each.name === name);
    if (!document) throw new Refused("no-changes", NOTHING);
    await this.compare(spectask, document);
    return undefined;
  }

  private async compare(spectask: SpecTaskView, document: ReviewDocument): Promise<void> {
    const base = baseOf(document) ?? "approved";
    const text = base === "approved" ? document.approved_text : document.sent_back_text;
    const before = vscode.Uri.from({ scheme: SCHEME, path: `/${spectask.id}/${base}/${document.name}.md`, query: digest(text) });
    this.kept.set(before.toString(), text);
    const words = base === "approved" ? "approved ↔ now" : "sent back ↔ revised";
    await vscode.commands.executeCommand("vscode.diff", before, liveUri(spectask, document), `${document.name}.md (${words})`);
  }

  /** Lets a document be chosen where several differ; throws where none does. */
  private async pickDocument(names: string[]): Promise<string | undefined> {
    if (names.length === 0) throw new Refused("no-changes", NOTHING);
    return names.length === 1
      ? names[0]
      : pick(
          names.map((each) => ({ label: each, value: each })),
          "Which document?",
        );
  }

  /** Shows the report of a SpecTask as it is now. */
  showReport(argument: unknown): Promise<undefined> {
    return this.showPage("report.md", argument, (each) => each.state !== "backlog", "No SpecTask has anything to report.");
  }

  /** Shows which task, commit, code and test belongs to which requirement, as it is now. */
  showTrace(argument: unknown): Promise<undefined> {
    const none = "No SpecTask has requirements to follow. `specthread trace FOLDER` in a terminal follows those of any other spec.";
    return this.showPage("trace.md", argument, (each) => each.whole?.documents.some((one) => one.digest) ?? false, none);
  }

  private async showPage(page: string, argument: unknown, fits: (spectask: SpecTask) => boolean, none: string): Promise<undefined> {
    const spectask = await whichSpectask(this.window, given(argument), fits, none);
    if (!spectask) return undefined;
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${spectask.id}/${page}` });
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

/** Enough to tell versions of one document apart. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
