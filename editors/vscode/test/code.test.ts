import { beforeEach, describe, expect, it, vi } from "vitest";
import { Code } from "../src/code";

/** The window of this test: its folders, and which of them hold specs. */
const window = vi.hoisted(() => ({
  folders: [] as { uri: { scheme: string; toString: () => string } }[],
  holding: new Set<string>(),
  listeners: [] as (() => void)[],
}));

vi.mock("vscode", () => {
  const listen = (listener: () => void): unknown => window.listeners.push(listener);
  return {
    RelativePattern: class {
      constructor(readonly folder: { uri: { toString: () => string } }) {}
    },
    Disposable: { from: () => ({ dispose: vi.fn() }) },
    languages: { getLanguages: () => Promise.resolve(["markdown", "python", "rust"]) },
    workspace: {
      get workspaceFolders() {
        return window.folders;
      },
      createFileSystemWatcher: () => ({ onDidCreate: listen, onDidDelete: listen }),
      onDidChangeWorkspaceFolders: listen,
      findFiles: ({ folder }: { folder: { uri: { toString: () => string } } }) =>
        Promise.resolve(window.holding.has(folder.uri.toString()) ? ["tasks.md"] : []),
    },
  };
});

vi.mock("vscode-languageclient/node", () => {
  const method = (name: string): object => ({ method: name });
  return {
    DidOpenTextDocumentNotification: method("didOpen"),
    DidChangeTextDocumentNotification: method("didChange"),
    DidSaveTextDocumentNotification: method("didSave"),
    DidCloseTextDocumentNotification: method("didClose"),
    HoverRequest: method("hover"),
    DefinitionRequest: method("definition"),
    ReferencesRequest: method("references"),
    DocumentLinkRequest: method("documentLink"),
    TextDocumentSyncKind: { Incremental: 2 },
  };
});

/** By feature the languages and folders it works for now. */
const working = new Map<string, string[]>();
let code: Code;

const folder = (name: string, scheme = "file"): (typeof window.folders)[number] => ({
  uri: { scheme, toString: () => `${scheme}:///${name}` },
});

beforeEach(() => {
  working.clear();
  window.listeners.length = 0;
  window.folders = [folder("held"), folder("bare"), folder("far", "ssh")];
  window.holding = new Set(["file:///held", "ssh:///far"]);
  const getFeature = (method: string): object => ({
    register: ({ registerOptions }: { registerOptions: { documentSelector: { language: string; pattern: { baseUri: string } }[] } }) =>
      working.set(
        method,
        registerOptions.documentSelector.map((each) => `${each.language} ${each.pattern.baseUri}`),
      ),
    unregister: () => working.delete(method),
  });
  code = new Code({ getFeature } as never);
});

describe("code", () => {
  it("is told, and asked about, in the folders that hold specs, but for documents, which are told already", async () => {
    await code.look();
    const there = ["python file:///held", "rust file:///held"];
    const features = ["didOpen", "didChange", "didSave", "didClose", "hover", "definition", "references", "documentLink"];
    expect(Object.fromEntries(working)).toEqual(Object.fromEntries(features.map((each) => [each, there])));
  });

  it("is never told where no folder holds a spec", async () => {
    window.holding.clear();
    await code.look();
    expect(working.size).toBe(0);
  });

  it("is told from the first spec on, and no more after the last", async () => {
    window.holding.clear();
    await code.look();
    window.holding.add("file:///bare");
    for (const each of window.listeners) each();
    await vi.waitFor(() => {
      expect(working.get("hover")).toEqual(["python file:///bare", "rust file:///bare"]);
    });
    window.holding.clear();
    window.listeners[0]?.();
    await vi.waitFor(() => {
      expect(working.size).toBe(0);
    });
  });

  it("is not told any more once its client is gone", async () => {
    const looking = code.look();
    code.dispose();
    await looking;
    expect(working.size).toBe(0);
  });
});
