import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ordered } from "../src/panels/allowed";

const ROOT = join(import.meta.dirname, "..");
const manifest = readFileSync(join(ROOT, "package.json"), "utf8");
const { contributes } = JSON.parse(manifest) as {
  contributes: { commands: { command: string }[]; views: Record<string, { id: string }[]> };
};
const sources = readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true })
  .filter((each) => each.isFile() && /\.tsx?$/.test(each.name))
  .map((each) => readFileSync(join(each.parentPath, each.name), "utf8"));

const contributed = new Set(contributes.commands.map((each) => each.command));
const views = Object.values(contributes.views).flatMap((each) => each.map((view) => view.id));
/** Names in our space that are no commands. */
const OTHER = new Set([
  "specthread.path",
  "specthread.session",
  "specthread.status",
  "specthread.loaded",
  "specthread.offline",
  "specthread.spec",
  "specthread.svg",
  ...views,
  ...views.map((each) => `${each}.focus`),
]);

/** Returns the command ids that are registered: by name, or as a member of the table in `commandsOf`. */
function registered(): Set<string> {
  const source = readFileSync(join(ROOT, "src/extension.ts"), "utf8");
  const table = /function commandsOf[\s\S]*?\n {2}return \{([\s\S]*?)\n {2}\};/.exec(source)?.[1] ?? "";
  const named = [...table.matchAll(/^ {4}"?([a-z-]+)"?:/gm)].map((each) => `specthread.${each[1] ?? ""}`);
  return new Set([...named, ...[...source.matchAll(/registerCommand\("([^"]+)"/g)].map((each) => each[1] ?? "")]);
}

describe("commands", () => {
  it("are registered where they are contributed, and contributed where they are registered", () => {
    expect([...registered()].sort()).toEqual([...contributed].sort());
  });

  it("exist wherever a menu, a button or a node names one", () => {
    const isKnown = (id: string): boolean => contributed.has(id) || OTHER.has(id);
    const inSources = sources.flatMap((each) => [...each.matchAll(/"(specthread\.[a-z-]+(?:\.focus)?)"/g)].map((found) => found[1] ?? ""));
    const inManifest = [...manifest.matchAll(/(?:"command": "|command:|onCommand:)(specthread\.[a-z-]+)/g)].map((found) => found[1] ?? "");
    expect([...inSources, ...inManifest].filter((id) => !isKnown(id))).toEqual([]);
  });
});

describe("what a panel asks for", () => {
  const argument = { run: "x/ws-1" };

  it.each(["workbench.action.terminal.new", "specthread.skip", "specthread.answer\u0000", "vscode.open"])("is refused: %s", (command) => {
    expect(ordered("session", { kind: "run", command, argument })).toBeUndefined();
  });

  it("is refused where its argument is not words", () => {
    expect(ordered("session", { kind: "run", command: "specthread.say", argument: { run: ["x"] } })).toBeUndefined();
    expect(ordered("session", { kind: "run", command: "specthread.say" })).toBeUndefined();
    expect(ordered("session", "ready")).toBeUndefined();
  });

  it("is run where the panel has a button for it", () => {
    expect(ordered("session", { kind: "run", command: "specthread.say", argument })).toEqual({ command: "specthread.say", argument });
    expect(ordered("overview", { kind: "run", command: "specthread.say", argument })).toBeUndefined();
  });

  it("is allowed for every button the panels have", () => {
    const isRefused = (panel: "overview" | "session", file: string): string[] =>
      [...readFileSync(join(ROOT, "src", file), "utf8").matchAll(/"(specthread\.[a-z-]+)"/g)]
        .map((each) => each[1] ?? "")
        .filter((command) => !ordered(panel, { kind: "run", command, argument }));
    expect(isRefused("overview", "webview/overview.tsx")).toEqual([]);
    expect(isRefused("overview", "needs.ts")).toEqual([]);
    expect([...isRefused("session", "webview/session.tsx"), ...isRefused("session", "webview/answer.tsx")]).toEqual([]);
  });
});
