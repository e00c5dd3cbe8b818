// Which documents the server is told of: those of specs everywhere, and code where markers may lead to a spec.

import * as vscode from "vscode";
import type { Middleware, TextDocumentFilter } from "vscode-languageclient/node";

const NAMES = "{requirements,spec,bugfix,design,plan,tasks}.md";

interface Pattern {
  scheme: string;
  language: string;
  pattern: string;
}

/** Where specs lie below a folder, in any dialect. */
export const SPEC_GLOBS = [`**/{.specs,.kiro,.specify,.spec-workflow,openspec}/**/${NAMES}`, `**/specs/[0-9]*-*/**/${NAMES}`];

const markdown = (pattern: string): Pattern => ({ scheme: "file", language: "markdown", pattern });

/** The documents of specs: in their folders, and on the desk, where one that was taken over lies as it lay in its repository. */
export const SPECS: Pattern[] = [...SPEC_GLOBS, `**/desk/*/*/**/${NAMES}`].map(markdown);

/** The documents whose normal form we know: our own. Offered for others, it would make the editor ask which formatter is meant. */
export const FORMATTED: Pattern[] = [markdown(`**/.specs/**/${NAMES}`)];

/** Tells whether a document is one of a spec. */
export function isSpec(document: vscode.TextDocument | undefined): boolean {
  return document !== undefined && vscode.languages.match(SPECS, document) > 0;
}

/** Returns what matches the code below folders; never a document of a spec, which would be told twice. */
export function codeIn(folders: readonly vscode.Uri[], languages: readonly string[]): TextDocumentFilter[] {
  const code = languages.filter((each) => each !== "markdown");
  return folders.flatMap((folder) =>
    code.map((language) => ({ scheme: "file", language, pattern: { baseUri: folder.toString(), pattern: "**" } })),
  );
}

/** Characters of a file up to which the server looks for markers in it. */
export const MOST = 2_000_000;

const PROSE = /\.(?:md|markdown|mdx|rst|adoc|txt|log)$/i;

/** Tells whether the server could say something of a document. */
export function isRead(document: vscode.TextDocument): boolean {
  if (document.languageId === "markdown") return true;
  return !PROSE.test(document.uri.path) && document.getText().length <= MOST;
}

/** Keeps from the server what it would read for nothing. That is decided when a document opens: half a document is none. */
export function sparing(): Middleware {
  const left = new Set<string>();
  const isLeft = (document: vscode.TextDocument): boolean => left.has(document.uri.toString());
  return {
    didOpen: async (document, next) => {
      if (isRead(document)) await next(document);
      else left.add(document.uri.toString());
    },
    didChange: async (event, next) => {
      if (!isLeft(event.document)) await next(event);
    },
    didSave: async (document, next) => {
      if (!isLeft(document)) await next(document);
    },
    didClose: async (document, next) => {
      if (!left.delete(document.uri.toString())) await next(document);
    },
    provideHover: (document, position, token, next) => (isLeft(document) ? undefined : next(document, position, token)),
    provideDefinition: (document, position, token, next) => (isLeft(document) ? undefined : next(document, position, token)),
    provideReferences: (document, position, options, token, next) =>
      isLeft(document) ? undefined : next(document, position, options, token),
    provideDocumentLinks: (document, token, next) => (isLeft(document) ? undefined : next(document, token)),
  };
}
