import type { TextDocument } from "vscode";
import { describe, expect, it, vi } from "vitest";
import { codeIn, MOST, sparing } from "../src/documents";

vi.mock("vscode", () => ({}));

const document = (path: string, text = "# Req 1.1", languageId = "python"): TextDocument =>
  ({ uri: { path, toString: () => `file://${path}` }, languageId, getText: () => text }) as never;

/** Lets a document live from its opening to its end, and returns what of that was sent. */
async function sent(lived: TextDocument, grown = lived): Promise<string[]> {
  const said: string[] = [];
  const say = (what: string) => (): Promise<void> => {
    said.push(what);
    return Promise.resolve();
  };
  const { didOpen, didChange, didSave, didClose, provideHover } = sparing();
  await didOpen?.(lived, say("open"));
  await didChange?.({ document: grown } as never, say("change"));
  await didSave?.(grown, say("save"));
  await provideHover?.(grown, {} as never, {} as never, say("hover") as never);
  await didClose?.(grown, say("close"));
  return said;
}

const ALL = ["open", "change", "save", "hover", "close"];

describe("what the server is told of", () => {
  it("is code, and every document of a spec whatever its size", async () => {
    expect(await sent(document("/w/a.py"))).toEqual(ALL);
    expect(await sent(document("/w/.kiro/specs/x/tasks.md", "x".repeat(MOST + 1), "markdown"))).toEqual(ALL);
  });

  it("is nothing of a file too large to be looked into, and of words for people", async () => {
    expect(await sent(document("/w/a.min.js", "x".repeat(MOST + 1)))).toEqual([]);
    expect(await sent(document("/w/notes.txt"))).toEqual([]);
    expect(await sent(document("/w/server.log"))).toEqual([]);
  });

  it("is the whole life of a document, whatever becomes of its size", async () => {
    const small = document("/w/a.py");
    const large = document("/w/a.py", "x".repeat(MOST + 1));
    expect(await sent(small, large)).toEqual(ALL);
    expect(await sent(large, small)).toEqual([]);
  });

  it("is never a document twice", () => {
    expect(codeIn([{ toString: () => "file:///w" } as never], ["markdown", "python"])).toEqual([
      { scheme: "file", language: "python", pattern: { baseUri: "file:///w", pattern: "**" } },
    ]);
  });
});
