// Markers in code: hover, definition, references and links in the folders of this window that hold specs, and nothing where none does.

import * as vscode from "vscode";
import {
  DefinitionRequest,
  DidChangeTextDocumentNotification,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  DidSaveTextDocumentNotification,
  DocumentLinkRequest,
  HoverRequest,
  ReferencesRequest,
  TextDocumentSyncKind,
  type DynamicFeature,
  type LanguageClient,
  type TextDocumentFilter,
  type TextDocumentRegistrationOptions,
} from "vscode-languageclient/node";
import { codeIn, SPEC_GLOBS } from "./documents";

/** Keeps a running client told of code for as long as there are specs that it may speak of. */
export class Code implements vscode.Disposable {
  private readonly watched: vscode.Disposable;
  private folders: string[] = [];
  private unregister: () => void = () => undefined;
  private looking: Promise<void> | undefined;
  private again = false;
  private ended = false;

  constructor(private readonly client: LanguageClient) {
    const watchers = SPEC_GLOBS.map((glob) => vscode.workspace.createFileSystemWatcher(glob, false, true, false));
    const look = (): void => {
      void this.look();
    };
    this.watched = vscode.Disposable.from(
      ...watchers,
      ...watchers.flatMap((each) => [each.onDidCreate(look), each.onDidDelete(look)]),
      vscode.workspace.onDidChangeWorkspaceFolders(look),
    );
  }

  /** Looks where there are specs now; what changes meanwhile is looked at once more, however often it does. */
  look(): Promise<void> {
    this.again = this.looking !== undefined;
    this.looking ??= this.follow().finally(() => {
      this.looking = undefined;
      if (this.again && !this.ended) void this.look();
    });
    return this.looking;
  }

  private async follow(): Promise<void> {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter((each) => each.uri.scheme === "file");
    const held = await Promise.all(folders.map(holdsSpecs));
    const found = folders.filter((_, index) => held[index]).map((each) => each.uri);
    const languages = await vscode.languages.getLanguages();
    const names = found.map(String);
    if (this.ended || names.join("\n") === this.folders.join("\n")) return;
    this.unregister();
    this.folders = names;
    this.unregister = found.length > 0 ? registered(this.client, codeIn(found, languages)) : () => undefined;
  }

  dispose(): void {
    this.ended = true;
    this.watched.dispose();
  }
}

async function holdsSpecs(folder: vscode.WorkspaceFolder): Promise<boolean> {
  const looked = SPEC_GLOBS.map((glob) => vscode.workspace.findFiles(new vscode.RelativePattern(folder, glob), "**/node_modules/**", 1));
  return (await Promise.all(looked)).some((each) => each.length > 0);
}

/** Has the features that markers have work for these documents, and returns how to end that. */
function registered(client: LanguageClient, documentSelector: TextDocumentFilter[]): () => void {
  const features: DynamicFeature<TextDocumentRegistrationOptions>[] = [
    client.getFeature(DidOpenTextDocumentNotification.method),
    client.getFeature(DidChangeTextDocumentNotification.method),
    client.getFeature(DidSaveTextDocumentNotification.method),
    client.getFeature(DidCloseTextDocumentNotification.method),
    client.getFeature(HoverRequest.method),
    client.getFeature(DefinitionRequest.method),
    client.getFeature(ReferencesRequest.method),
    client.getFeature(DocumentLinkRequest.method),
  ];
  const id = crypto.randomUUID();
  // Each takes of the options what it knows. The text of a save lets the relay forget the changes that led to it.
  const registerOptions = { documentSelector, syncKind: TextDocumentSyncKind.Incremental, includeText: true };
  for (const each of features) each.register({ id, registerOptions });
  return () => {
    for (const each of features) each.unregister(id);
  };
}
