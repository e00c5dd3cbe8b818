import MarkdownIt from "markdown-it";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";

// What agents write is shown as text only: no HTML of theirs, and no pictures from anywhere.
const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true }).disable("image");

export function Markdown({ text }: { text: string }): JSX.Element {
  const html = useMemo(() => markdown.render(text), [text]);
  return <div class="read" dangerouslySetInnerHTML={{ __html: html }} />;
}
