// The tree as values: what stands under what, in which words. No editor here, so that it can be tested as it is.

import type { DocumentView, SessionView, SpecTaskView, TaskView } from "../../../protocol";
import { spentText } from "../needs";
import { ENDED, type SpecTask } from "../store";
import {
  age,
  cut,
  percentText,
  progressText,
  runLook,
  shortRun,
  spectaskLook,
  taskLook,
  title,
  withoutCommands,
  type Look,
} from "../words";

/** Letters of a title that leave room for the state beside it, in a side bar as wide as it is at first. */
const SHORT = { spectask: 18, labelled: 12, task: 22 };

export type Node = { key: string; label: string; description: string; tooltip: string; look: Look; context: string; open?: boolean } & (
  | { kind: "ended"; children: Node[] }
  | { kind: "spectask"; spectask: string; children?: Node[] }
  | { kind: "group"; spectask: string; children: Node[] }
  | { kind: "document"; spectask: string; document: string; children?: never }
  | { kind: "task"; spectask: string; task: string; run: string; children?: never }
  | { kind: "run"; spectask: string; run: string; children?: Node[] }
);

const NONE: Look = { word: "", tone: "idle", icon: "" };

const APPROVALS: Record<DocumentView["approval"], Look> = {
  missing: { word: "not written yet", tone: "idle", icon: "circle-large-outline" },
  none: { word: "to be approved", tone: "wait", icon: "eye" },
  recording: { word: "being recorded", tone: "ok", icon: "loading~spin" },
  valid: { word: "approved", tone: "ok", icon: "pass" },
  void: { word: "changed since approval", tone: "wait", icon: "eye" },
};

/** The roots: what goes on, in the order given, then what ended under one node. */
export function roots(spectasks: readonly SpecTask[], now: number): Node[] {
  const live = spectasks.filter((each) => !ENDED.has(each.state) || each.needs.length > 0);
  const ended = spectasks.filter((each) => !live.includes(each)).map((each) => spectaskNode(each, now));
  const rest: Node[] = ended.length
    ? [
        {
          kind: "ended",
          key: "ended",
          label: "Ended",
          description: String(ended.length),
          tooltip: "",
          look: NONE,
          context: "ended",
          children: ended,
        },
      ]
    : [];
  return [...live.map((each) => spectaskNode(each, now)), ...rest];
}

function spectaskNode(spectask: SpecTask, now: number): Node {
  const { whole } = spectask;
  const look = spectaskLook({ state: spectask.state, paused: whole?.paused ?? false });
  const label = spectask.label ? ` · ${spectask.label}` : "";
  const flags = [spectask.state, whole?.paused ? "paused" : "going", spectask.needs.length ? "needed" : "calm"];
  return {
    kind: "spectask",
    key: spectask.id,
    spectask: spectask.id,
    label: cut(title(spectask), spectask.label ? SHORT.labelled : SHORT.spectask),
    description: [look.word + label, percentText(spectask)].filter(Boolean).join(" · "),
    tooltip: [
      title(spectask),
      withoutCommands(spectask.why),
      spectask.progress.left,
      `${spectask.id} · ${progressText(spectask)} · ${spentText(spectask, whole?.limits.stop_usd)} · changed ${age(spectask.updated, now)} ago`.replace(
        "now ago",
        "just now",
      ),
    ]
      .filter(Boolean)
      .join("\n"),
    look,
    context: `spectask ${flags.join(" ")}`,
    // The editor remembers how a node was first shown, so it is open from the start, whatever is known of it by then.
    open: !ENDED.has(spectask.state),
    ...(whole ? { children: parts(whole) } : {}),
  };
}

function parts(spectask: SpecTaskView): Node[] {
  const runs = [...spectask.planning, ...spectask.sessions];
  const known = new Set(runs.map((run) => run.id));
  const implementing = spectask.state === "implementing";
  const group = (name: string, label: string, description: string, children: Node[], open: boolean): Node[] =>
    children.length
      ? [
          {
            kind: "group",
            key: `${spectask.id}#${name}`,
            spectask: spectask.id,
            label,
            description,
            tooltip: "",
            look: NONE,
            context: `group ${name}`,
            open,
            children,
          },
        ]
      : [];
  return [
    ...spectask.documents.map((document) => documentNode(spectask, document)),
    ...group(
      "tasks",
      "Tasks",
      progressText(spectask),
      spectask.tasks.map((task) => taskNode(spectask, task)),
      true,
    ),
    ...group(
      "sessions",
      "Sessions",
      String(runs.length),
      runs.filter((run) => !known.has(run.parent)).map((run) => runNode(spectask, run)),
      implementing,
    ),
  ];
}

function documentNode(spectask: SpecTaskView, document: DocumentView): Node {
  const look = APPROVALS[document.approval];
  const open = spectask.comments.filter((each) => each.document === document.name && !each.resolved).length;
  const comments = open ? ` · ${open} ${open === 1 ? "comment" : "comments"}` : "";
  const written = document.digest !== "";
  return {
    kind: "document",
    key: `${spectask.id}/${document.name}`,
    spectask: spectask.id,
    document: document.name,
    label: `${document.name}.md`,
    description: `${look.word}${comments}`,
    tooltip: written ? versionText(document) : "The planner has not written it yet.",
    look,
    context: `document ${written ? "written" : "missing"} ${document.approval}`,
  };
}

function versionText(document: DocumentView): string {
  const approved = document.approval === "valid" ? `, approved by ${document.approved_by}` : "";
  return `${document.name}@${document.digest.slice(0, 7)}, last changed by ${document.author}${approved}`;
}

function taskNode(spectask: SpecTaskView, task: TaskView): Node {
  const look = taskLook(task, spectask.sessions);
  const how = task.state === "merged" && task.weak ? ", weakly" : "";
  const recheck = task.recheck ? " · look again" : "";
  const waits = task.session || !["open", "blocked"].includes(task.state) ? "" : unmerged(spectask, task);
  const startable = task.state === "open" && ["approved", "implementing"].includes(spectask.state) ? "startable" : "fixed";
  return {
    kind: "task",
    key: `${spectask.id}#task-${task.number}`,
    spectask: spectask.id,
    task: task.number,
    run: task.session,
    label: cut(`${task.number}. ${task.title}`, SHORT.task),
    description: waits ? `after ${waits}` : look.word.toLowerCase() + how + recheck,
    tooltip: [
      `${task.number}. ${task.title}`,
      withoutCommands(task.why),
      task.session ? `Session: ${shortRun(task.session)}` : "",
      task.check ? `Check: ${task.check}` : "",
      task.files.length ? `Files: ${task.files.join(", ")}` : "",
    ]
      .filter(Boolean)
      .join("\n"),
    look,
    context: `task ${task.state} ${startable} ${task.session ? "session" : "unbegun"}`,
  };
}

/** The tasks this one waits for, by number. */
function unmerged(spectask: SpecTaskView, task: TaskView): string {
  const over = new Set(spectask.tasks.filter((each) => ["merged", "skipped"].includes(each.state)).map((each) => each.number));
  return task.depends.filter((each) => !over.has(each)).join(", ");
}

function runNode(spectask: SpecTaskView, run: SessionView): Node {
  const look = runLook(run);
  const about = run.task ? `task ${run.task}` : run.work ? cut(run.work.split("\n")[0] ?? "", SHORT.task) : run.role;
  const spawned = spectask.sessions.filter((each) => each.parent === run.id);
  const attempt = run.attempt > 1 ? ` · attempt ${run.attempt}` : "";
  return {
    kind: "run",
    key: run.id,
    spectask: spectask.id,
    run: run.id,
    label: shortRun(run.id),
    description: `${about} · ${look.word.toLowerCase()}${attempt}`,
    tooltip: [withoutCommands(run.activity), run.summary, `${run.agent} · ${spentText(run.spend)}`].filter(Boolean).join("\n"),
    look,
    context: `run ${run.status} ${run.completed ? "over" : "living"} ${run.task || run.work ? "work" : "planning"}`,
    ...(spawned.length ? { open: true, children: spawned.map((each) => runNode(spectask, each)) } : {}),
  };
}
