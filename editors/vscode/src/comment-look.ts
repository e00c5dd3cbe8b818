// How a review comment looks in the margin, as a value.

import type { CommentView } from "../../protocol";

export interface CommentLook {
  /** Counts from 0. */
  line: number;
  label: string;
  isSettled: boolean;
  said: { author: string; text: string }[];
}

/** Returns the look of a comment; one whose words the planner changed is shown as settled, with what the planner said. */
export function commentLook(comment: CommentView): CommentLook {
  const isSettled = comment.resolved !== "";
  const open = comment.line ? "Open comment" : "Open comment; its words are gone";
  return {
    line: Math.max(0, comment.line - 1),
    label: isSettled ? "Answered: its words were changed" : open,
    isSettled,
    said: [{ author: comment.author, text: comment.text }, ...(comment.answer ? [{ author: "Planner", text: comment.answer }] : [])],
  };
}

/** Whether a document may have threads to show: open comments, or answered ones whose words were changed. */
export function hasThreads(comments: readonly CommentView[]): boolean {
  return comments.some((each) => !each.resolved || (each.resolved === "text-gone" && each.answer !== ""));
}
