// What agents and repositories write is shown as written, and does nothing: no links, no icons, no pictures from elsewhere.

/** Joins without being seen; what stands around it reads the same and means nothing to a renderer any more. */
const JOINER = "\u2060";

/** The text for a box of the editor, which would make links of `[word](address)` and pictures of `$(word)`. */
export function plain(text: string): string {
  return text.replaceAll("](", `]${JOINER}(`).replaceAll("$(", `$${JOINER}(`);
}

/** Tags that fetch something, or run it. */
const FETCHING =
  /<(?=\/?(?:img|image|picture|source|video|audio|track|iframe|frame|svg|object|embed|link|style|script|input|meta|base)\b)/gi;

/** Markdown for the editor's preview, without pictures and without links that run a command. It holds inside code too, where nobody sees it. */
export function harmless(markdown: string): string {
  return markdown
    .replaceAll("![", `!${JOINER}[`)
    .replace(FETCHING, `<${JOINER}`)
    .replace(/(command|vscode(?:-insiders)?)(?=:|&colon;|&#)/gi, `$1${JOINER}`);
}
