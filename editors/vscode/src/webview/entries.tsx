// The transcript itself: one line per entry, a tool's result under its call.

import type { ComponentChildren, JSX } from "preact";
import type { EntryView } from "../../../protocol";
import { Icon } from "./icons";
import { Markdown } from "./markdown";

const OPEN_LINES = 14;
/** Tools whose calls are told by the entry that follows them. */
const SPOKEN = new Set(["ask", "finish"]);

export function Entries({ entries, name }: { entries: EntryView[]; name: string }): JSX.Element {
  const results = new Map(entries.filter((each) => each.kind === "result").map((each) => [each.tool_use, each]));
  const shown = entries.filter((each) => each.kind !== "result" && !(each.kind === "tool" && SPOKEN.has(each.who)));
  return (
    <>
      {shown.map((each, index) => (
        <EntryItem key={`${each.seq}-${index}`} entry={each} result={results.get(each.tool_use)} name={name} />
      ))}
    </>
  );
}

interface Item {
  entry: EntryView;
  result: EntryView | undefined;
  name: string;
}

type Kind = EntryView["kind"];
const LOOKS: Record<Kind, { icon: string; tone?: string }> = {
  text: { icon: "message" },
  thinking: { icon: "think" },
  tool: { icon: "tool" },
  result: { icon: "tool" },
  told: { icon: "note" },
  question: { icon: "question", tone: "wait" },
  answer: { icon: "message", tone: "live" },
  message: { icon: "message", tone: "live" },
  claim: { icon: "pass" },
  check: { icon: "pass", tone: "ok" },
  back: { icon: "back", tone: "stuck" },
  merged: { icon: "git-merge", tone: "merged" },
  ended: { icon: "error", tone: "fail" },
  lost: { icon: "warning", tone: "stuck" },
  call: { icon: "" },
  note: { icon: "" },
};

function EntryItem({ entry, result, name }: Item): JSX.Element {
  const look = entry.kind === "check" && entry.wrong ? LOOKS.ended : LOOKS[entry.kind];
  return (
    <Line entry={entry} {...look}>
      <Content entry={entry} result={result} name={name} />
    </Line>
  );
}

function Content({ entry, result, name }: Item): JSX.Element {
  const { text, who } = entry;
  switch (entry.kind) {
    case "text":
      return <Speech who={name} text={text} />;
    case "question":
      return <Speech who={`${name} asks`} text={text} />;
    case "claim":
      return <Speech who={`${name} says it is done`} text={text} />;
    case "answer":
    case "message":
      return <Speech who={who} text={text} />;
    case "thinking":
      return (
        <Fold title="Thought" more={text}>
          <Markdown text={text} />
        </Fold>
      );
    case "told":
    case "back":
      return (
        <Fold title={entry.kind === "told" ? "The agent was told its task" : `Sent back: ${CAUSES[who] ?? who}`} more={text}>
          <pre>{text}</pre>
        </Fold>
      );
    case "tool":
    case "result":
      return <Tool entry={entry} result={result} />;
    case "check":
      return (
        <p>
          <b>{checked(who)}</b> <code>{text}</code>
        </p>
      );
    case "merged":
      return (
        <p>
          <b>Merged</b> as <code>{text.slice(0, 12)}</code>
        </p>
      );
    case "ended":
    case "lost":
      return <p>{text}</p>;
    case "call":
    case "note":
      return <p class="meta">{text}</p>;
  }
}

function Speech({ who, text }: { who: string; text: string }): JSX.Element {
  return (
    <>
      <p class="who">{who}</p>
      <Markdown text={text} />
    </>
  );
}

const CAUSES: Record<string, string> = {
  check: "its check did not pass",
  "merged-check": "the check of the merged tree failed",
  conflict: "it conflicts with merged work",
};

/** What the daemon found, in a word. */
function checked(outcome: string): string {
  const words: Record<string, string> = {
    verified: "Verified: red before, green now",
    weak: "Weakly verified: green, but green before too",
    red: "Red",
    "cannot-run": "The check cannot run",
    "no-work": "Nothing was changed",
    unexplained: "Files outside the task were changed and nobody said why",
  };
  return words[outcome] ?? outcome;
}

function Line({
  entry,
  icon,
  tone,
  children,
}: {
  entry: EntryView;
  icon: string;
  tone?: string;
  children: ComponentChildren;
}): JSX.Element {
  const time = new Date(entry.time);
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  return (
    <div class={`entry kind-${entry.kind}`}>
      <time class="time" title={time.toLocaleString()}>
        {clock}
      </time>
      {icon ? <Icon name={icon} {...(tone ? { tone } : {})} /> : <span class="icon" />}
      <div class="content">{children}</div>
    </div>
  );
}

function Fold({ title, more, children }: { title: string; more: string; children: ComponentChildren }): JSX.Element {
  return (
    <details class="fold">
      <summary>
        <Icon name="chevron" />
        <span class="title">{title}</span>
        <span class="trunc meta">{more.replace(/\s+/g, " ").slice(0, 160)}</span>
      </summary>
      {children}
    </details>
  );
}

function Tool({ entry, result }: { entry: EntryView; result: EntryView | undefined }): JSX.Element {
  const lines = entry.text.split("\n");
  const isEdit = entry.who === "edit";
  const first = (lines[0] ?? "").replace(/^(path|pattern|document|comment): /, "");
  const body = isEdit ? lines.slice(1) : lines;
  const added = body.filter((each) => each.startsWith("+")).length;
  const removed = body.filter((each) => each.startsWith("-")).length;
  const outcome = !result ? "runs" : result.wrong ? "failed" : isEdit ? `+${added} −${removed}` : lineCount(result.text);
  const isShort = body.length <= OPEN_LINES;
  return (
    <details class="tool" open={(isEdit && isShort) || (result?.wrong ?? false)}>
      <summary>
        <Icon name="chevron" />
        <b>{TOOLS[entry.who] ?? entry.who}</b>
        <code class="trunc">{first}</code>
        <span class={result?.wrong ? "meta tone-fail" : "meta"}>{outcome}</span>
      </summary>
      {isEdit ? <Diff lines={body} /> : lines.length > 1 ? <pre>{entry.text}</pre> : null}
      {result && (!isEdit || result.wrong) ? <pre class="result">{result.text || "(nothing)"}</pre> : null}
    </details>
  );
}

const TOOLS: Record<string, string> = {
  shell: "Run",
  edit: "Edit",
  read: "Read",
  write: "Write",
  search: "Search",
  write_document: "Write",
  answer_comment: "Answer comment",
};

function lineCount(text: string): string {
  const number = text.trim() ? text.trimEnd().split("\n").length : 0;
  return number === 1 ? "1 line" : `${number} lines`;
}

function Diff({ lines }: { lines: string[] }): JSX.Element {
  return (
    <pre class="diff">
      {lines.map((line, index) => (
        <span key={index} class={line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : ""}>
          {line.startsWith("-") ? `− ${line.slice(1)}` : line.startsWith("+") ? `+ ${line.slice(1)}` : line}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
