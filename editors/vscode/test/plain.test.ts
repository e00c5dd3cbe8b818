import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { harmless, plain } from "../src/plain";

const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((each) => each.isFile() && /\.tsx?$/.test(each.name))
    .map((each) => join(each.parentPath, each.name));
}

describe("words of others", () => {
  it.each(["[Allow](command:workbench.action.terminal.new)", "see [here](https://example.org 'x') and [there](file:///etc/passwd)"])(
    "make no link in a box: %s",
    (text) => {
      expect(LINK.test(text)).toBe(true);
      expect(LINK.test(plain(text))).toBe(false);
      expect(plain(text).replaceAll("\u2060", "")).toBe(text);
    },
  );

  it("make no icons", () => {
    expect(plain("run $(error) now")).not.toContain("$(");
  });

  it.each(["![x](https://example.org/x.png)", "![x][1]", "<img src=https://example.org/x>", "<IMG\nsrc=x>", "<svg onload=x>", "</style>"])(
    "fetch no picture in a report: %s",
    (text) => {
      expect(harmless(text)).not.toMatch(/!\[|<\/?(img|svg|style)/i);
    },
  );

  it("run no command from a report", () => {
    expect(harmless("[x](command:a) [y](Command:b) [z](vscode://c)")).not.toMatch(/(command|vscode):/i);
  });

  it("leave the rest of a report as it is", () => {
    const text = "# Report\n\n| task | `a[0]!` |\n\n<details>a < b</details>";
    expect(harmless(text)).toBe(text);
  });

  it("reach the editor's boxes through one file only", () => {
    const opening =
      /window\s*\.(show(Information|Warning|Error)Message|show(InputBox|QuickPick)|create(InputBox|QuickPick)|setStatusBarMessage)/;
    const found = sources(join(import.meta.dirname, "../src")).filter((each) => opening.test(readFileSync(each, "utf8")));
    expect(found.map((each) => each.split("/").at(-1))).toEqual(["boxes.ts"]);
  });

  it("are never parsed as Markdown by a hover or a thread", () => {
    const found = sources(join(import.meta.dirname, "../src")).filter((each) =>
      /new vscode\.MarkdownString\([^)]/.test(readFileSync(each, "utf8")),
    );
    expect(found).toEqual([]);
  });
});
