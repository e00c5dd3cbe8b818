// Where a task stands in its document.

const ITEM = /^\s*[-*+]\s+\[[^\]]\]\*?\s+(\d+(?:\.\d+)*)\.?\s/;

/** Returns the line of a task, counted from 0; the first line where the document has no such task any more. */
export function taskLine(text: string, number: string): number {
  const line = text.split("\n").findIndex((each) => ITEM.exec(each)?.[1] === number);
  return Math.max(0, line);
}
