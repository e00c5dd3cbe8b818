// The way from each requirement to tasks, commits, code and tests, as a page.

import type { MentionView, TraceResult, TraceRowView } from "../../protocol";
import { count, cut } from "./words";

const SHOWN = 3;
const TITLE = 80;

/** Returns the page of a trace: a row for each criterion, or for a requirement that has none. */
export function tracePage(trace: TraceResult): string {
  const rows = trace.requirements.flatMap((each) => (each.criteria.length > 0 ? each.criteria : [each]));
  const head = [`# Trace: ${trace.spec}`, ""];
  if (rows.length === 0) return [...head, "Nothing is required yet.", ""].join("\n");
  const passed = trace.passed_over
    ? [`${count(trace.passed_over, "file")}, binary or too large, ${trace.passed_over === 1 ? "was" : "were"} passed over.`, ""]
    : [];
  const gaps = trace.gaps ? `${count(trace.gaps, "gap")}.` : "No gaps.";
  const table = ["| Requirement | Tasks | Commits | Code | Tests |", "|---|---|---|---|---|", ...rows.map(line)];
  return [...head, gaps, "", ...passed, ...table, ""].join("\n");
}

function line(row: TraceRowView): string {
  const tasks = row.tasks.map((each) => `${each.id} (${each.state.replaceAll("_", " ")})`).join(", ");
  const commits = row.commits.map((each) => `\`${each.oid.slice(0, 12)}\``).join(", ");
  const cells = [
    `${row.id} ${cut(row.title, TITLE)}`,
    tasks || gap(row, "no-task"),
    commits,
    places(row.code),
    places(row.tests) || gap(row, "no-test"),
  ];
  return `| ${cells.map((each) => each.replaceAll("|", "\\|").replace(/\s+/g, " ")).join(" | ")} |`;
}

function gap(row: TraceRowView, code: string): string {
  return row.gaps.includes(code) ? `**${code.replace("-", " ")}**` : "";
}

function places(mentions: readonly MentionView[]): string {
  const all = [...new Set(mentions.filter((each) => each.sure).map((each) => `\`${each.path}:${each.line}\``))];
  const more = all.length > SHOWN ? `, ${all.length - SHOWN} more` : "";
  return all.slice(0, SHOWN).join(", ") + more;
}
