// Every message between an editor and the daemon.
// Written by `make protocol` from server/specthread/protocol/wire.py; changes made here are lost.

/** The limits a person chose; what is absent stays as it is. */
export interface LimitsParams {
  max_parallel?: number | null;
  budget_usd?: string | null;
  task_usd?: string | null;
  run_usd?: string | null;
}

/**
 * Asks for a SpecTask in the repository around `path`: from a prompt, or from the spec folder `from_spec`, read from
 * `path`; its prompt may be empty.
 */
export interface NewParams {
  path: string;
  from_spec?: string;
  prompt?: string;
  flow?: "feature" | "bugfix" | "refactor" | "quick";
  agent?: string | null;
  execute?: boolean;
  advance?: boolean;
  limits?: LimitsParams | null;
  priority?: "low" | "normal" | "high";
  key?: string;
}

/** Asks for the SpecTasks; archived ones only on demand, those of one repository where `repository` names a path in it. */
export interface ListParams {
  repository?: string;
  archived?: boolean;
}

/** Names a SpecTask by its id or a unique beginning of it. */
export interface SpecTaskParams {
  id: string;
}

/** Asks for a SpecTask's events after `since`; from now on when absent. */
export interface WatchParams {
  id: string;
  since?: number | null;
}

/** Asks who built and tested the requirements of a SpecTask, or only the one with this id. */
export interface TraceParams {
  id: string;
  requirement?: string;
}

/** Asks what was spent: by one SpecTask, or by all; of one also call by call. */
export interface CostParams {
  id?: string;
  calls?: boolean;
}

/**
 * Asks for the events of a SpecTask, or of one run of it, after `since`: the first `limit`, and those after them with
 * the next request.
 */
export interface HistoryParams {
  id: string;
  run?: string;
  since?: number;
  limit?: number;
}

/** Asks what was said in a run after event `since`; a run may be named `ws-1` where only one SpecTask matches. */
export interface TranscriptParams {
  run: string;
  since?: number;
  limit?: number;
}

/**
 * Adds a comment at a line of a document, which is named by name or path; `words` is how that line reads for the
 * person, who may have unsaved text above it.
 */
export interface CommentParams {
  id: string;
  key?: string;
  file: string;
  line: number;
  text: string;
  words?: string;
}

/** Settles a comment, named by its id or a unique beginning of it. */
export interface ResolveParams {
  id: string;
  key?: string;
  comment: string;
}

/** A document with the digest, or its first 7 or more digits, of the words that were read. */
export interface DigestParams {
  document: string;
  digest: string;
}

/** Approves exactly these documents. */
export interface ApproveParams {
  id: string;
  key?: string;
  documents: DigestParams[];
}

/** Sends the documents back with a message and the open comments; without open comments a message is needed. */
export interface RequestChangesParams {
  id: string;
  key?: string;
  message?: string;
}

/**
 * Starts the approved tasks, or only `tasks` and what they wait for; with `dry_run` only says what would start.
 * What is absent stays as it is. `agents` are roles: only their tasks begin, with an empty list all do. With
 * `interactive` each task waits for a yes, and to name it in `tasks` is that yes; with `fail_fast` no new task begins
 * after one has failed.
 */
export interface RunParams {
  id: string;
  key?: string;
  tasks?: string[];
  limits?: LimitsParams;
  mode?: "parallel" | "sequential" | null;
  agents?: string[] | null;
  priority?: "low" | "normal" | "high" | null;
  interactive?: boolean | null;
  fail_fast?: boolean | null;
  dry_run?: boolean;
}

/** Says something to a running agent. */
export interface SayParams {
  target: string;
  key?: string;
  text: string;
}

/**
 * Answers the open question of a run, or of a SpecTask that has exactly one; `question` names the one that was read, so
 * that no other is answered.
 */
export interface AnswerParams {
  target: string;
  key?: string;
  text: string;
  question?: string;
}

/** Notes how far the work is, or what was decided. */
export interface NoteParams {
  id: string;
  key?: string;
  kind: "progress" | "decision";
  text: string;
}

/**
 * Asks the person a question, with answers to choose from where there are a few clear ones; the same question again
 * asks for its answer.
 */
export interface AskParams {
  id: string;
  key?: string;
  question: string;
  choices?: string[];
}

/** Changes a SpecTask or a run; a run may be named `ws-1` where only one SpecTask matches. */
export interface TargetChange {
  target: string;
  key?: string;
}

/** Starts a new attempt; `fresh` in a new worktree. */
export interface RetryParams {
  target: string;
  key?: string;
  fresh?: boolean;
}

/**
 * Gives `text` (its first line is a title) to a session of its own: under the run that is the target or the `parent`,
 * else beside the plan of the SpecTask.
 */
export interface SpawnParams {
  target: string;
  key?: string;
  text: string;
  role?: string;
  parent?: string;
  budget_usd?: string | null;
}

/** Params of a request that needs none. */
export interface NoParams {
}

/**
 * Takes a resource from the run that holds it, `target`; `text` tells its agent why. Repeated with its `key`, it is
 * answered as the first time.
 */
export interface ReleaseParams {
  resource: string;
  target: string;
  text?: string;
  key?: string;
}

/** Accepts the feature branch; `feature` binds the commit that was looked at. */
export interface AcceptParams {
  id: string;
  key?: string;
  feature?: string;
}

/** Leaves a task undone on purpose. */
export interface SkipParams {
  id: string;
  key?: string;
  task: string;
}

/** Changes a SpecTask. */
export interface SpecTaskChange {
  id: string;
  key?: string;
}

/** Asks for the texts that a document had. */
export interface VersionsParams {
  id: string;
  document: string;
}

/**
 * Asks how a document, or all of them, differ between two texts: `live`, `approved`, `v1` and so on, or the beginning
 * of a digest or commit.
 */
export interface DiffParams {
  id: string;
  document?: string;
  since?: string;
  until?: string;
}

/**
 * Asks to take up what only the branches of the repository around `path` know, or with `id` that SpecTask; asked again,
 * all of it is known.
 */
export interface RebuildParams {
  path: string;
  id?: string;
}

/**
 * Asks for a pull request of the feature branch at a remote; `with_records` pushes the spec's branch and tags too, with
 * all that was said in the sessions.
 * Without `confirm` the answer says what would be pushed where, and nothing is; with what that answer named, exactly
 * that is done.
 */
export interface PrParams {
  id: string;
  key?: string;
  remote?: string;
  with_records?: boolean;
  confirm?: string;
}

/**
 * Asks for all events after `since` of log `instance`; from now on when absent. Another instance starts from the
 * beginning.
 */
export interface SubscribeParams {
  since?: number | null;
  instance?: string;
}

/** Asks for the last lines of the daemon's log. */
export interface LogsParams {
  lines?: number;
}

/**
 * Asks how the cache does; `export` copies it into a new `file`, `import` takes one in, `clear` forgets the keys that
 * match a pattern as of file names.
 */
export interface CacheParams {
  action?: "show" | "export" | "import" | "clear";
  file?: string;
  pattern?: string;
}

/** Asks what the repository around `path` wants to run or permit; with its `fingerprint`, allows exactly that. */
export interface AllowParams {
  path: string;
  fingerprint?: string;
}

/** A figure as a range: one in ten below `low`, one in ten above `high`. */
export interface RangeView {
  low: number;
  likely: number;
  high: number;
}

/**
 * The seconds until a person is needed again, what they are taken from, and what comes then: documents to review, or
 * work to accept.
 */
export interface EtaView {
  seconds: RangeView;
  basis: "history" | "written" | "guess";
  until: "review" | "acceptance";
}

/**
 * A part of the way: `done` of `total` things, and the share of its work in percent.
 * In the page of a SpecTask the phases of its plan stand below its tasks; an overview has no phases of what ended.
 */
export interface PhaseView {
  name: string;
  title: string;
  percent: number;
  done: number;
  total: number;
  phases: PhaseView[];
}

/**
 * What a run that is not over does, or waits for, in one line; `turn` is the last one it finished, `seconds` is how
 * long ago it began.
 */
export interface ActivityView {
  run: string;
  task: string;
  role: string;
  status: string;
  turn: number;
  seconds: number;
  text: string;
}

/**
 * How far a SpecTask is. `percent` is 100 when it is accepted and not before.
 * `eta` is null where nothing goes on and where somebody is needed first: then `waits` says for what. `left` says the
 * time in words.
 */
export interface ProgressView {
  percent: number;
  eta: EtaView | null;
  left: string;
  waits: string;
  phases: PhaseView[];
  activities: ActivityView[];
}

/**
 * Something only a human can end; `run` is empty where it concerns the whole SpecTask, `question` names what a run
 * asks, `task` the one that waits for a yes.
 */
export interface NeedView {
  kind: "question" | "permission" | "budget" | "trouble" | "review" | "run" | "task" | "accept" | "retry" | "resume";
  run: string;
  text: string;
  choices: string[];
  question: string;
  task: string;
}

/**
 * A pull request that a person opened, and how it stood when its forge was last asked; `text` says that in one line,
 * `checks` and `reviews` by name.
 */
export interface PullRequestView {
  forge: string;
  url: string;
  number: number;
  branch: string;
  state: "open" | "merged" | "closed";
  draft: boolean;
  checks: Record<string, "passing" | "failing" | "pending">;
  reviews: Record<string, "approved" | "changes_requested">;
  text: string;
}

/** What a SpecTask may use, and of its money the work on one task and one run; None: no more than all of it. */
export interface LimitsView {
  max_parallel: number;
  warn_usd: string;
  stop_usd: string;
  task_usd: string | null;
  run_usd: string | null;
}

/** How a SpecTask is run; `agents` are the roles whose tasks begin, none: all. */
export interface OptionsView {
  mode: "parallel" | "sequential";
  priority: "low" | "normal" | "high";
  agents: string[];
  interactive: boolean;
  fail_fast: boolean;
}

/** A live document without its text. */
export interface DocumentView {
  name: string;
  path: string;
  digest: string;
  approval: "missing" | "none" | "recording" | "valid" | "void";
  approved_by: string;
  approved_in_advance: boolean;
  author: string;
}

/** An ImplementationTask; `why` says what it waits for, `when` under which conditions it is done at all. */
export interface TaskView {
  number: string;
  title: string;
  state: string;
  why: string;
  role: string;
  check: string;
  requires: string[];
  depends: string[];
  files: string[];
  when: string[];
  optional: boolean;
  session: string;
  merged: string;
  weak: boolean;
  recheck: boolean;
}

/** A session whose unmerged work conflicts with that of another one so far, and the paths in which it does. */
export interface ForeseenView {
  session: string;
  paths: string[];
}

/**
 * What the daemon found about a session's work; `checks` are the project's own and `verdicts` its reviewer's, in words,
 * `formatted` is a diff.
 */
export interface CheckView {
  outcome: string;
  check: string;
  commit: string;
  before_exit: number | null;
  after_exit: number | null;
  output: string;
  changed: string[];
  dropped: string[];
  evidence: string[];
  unprotected: boolean;
  checks: string[];
  verdicts: string[];
  formatted: string;
}

/**
 * Model use; `unknown_calls` could not be priced and are not in `cost_usd`. Of `input_tokens`, some were read from or
 * written to the provider's cache.
 */
export interface SpendView {
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cost_usd: string;
  reserved_usd: string;
  unknown_calls: number;
  cache_read: number;
  cache_write: number;
}

/**
 * A run: a WorkSession, or a PlanningRun with an empty `task`. `duration` is in seconds, up to now while it lives,
 * without what it or its SpecTask stood still.
 * `activity` is in one line what it does, or waits for, in `turn` at last. One that was spawned has `work` and no task,
 * and its `parent` where a session spawned it; `budget_usd` is its own, out of that one's.
 */
export interface SessionView {
  id: string;
  task: string;
  parent: string;
  work: string;
  budget_usd: string | null;
  blocked: string;
  status: string;
  why: string;
  agent: string;
  role: string;
  started: string;
  completed: string | null;
  duration: number;
  attempt: number;
  turn: number;
  activity: string;
  send_backs: number;
  conflicts: number;
  foreseen: ForeseenView[];
  summary: string;
  reason: string;
  question: NeedView | null;
  verification: CheckView | null;
  merged: string;
  spend: SpendView;
}

/**
 * Something said between sessions; `sender` is a run, a person or `daemon`, a receiver a run or `task 3`; a question is
 * `open` until it is answered.
 */
export interface MessageView {
  number: number;
  kind: "handoff" | "question" | "answer" | "broadcast" | "blocked" | "unblocked" | "finished";
  sender: string;
  receivers: string[];
  text: string;
  time: string;
  answers: number;
  open: boolean;
}

/** A value that a fact had from a version on. */
export interface FactChangeView {
  version: number;
  value: string;
  by: string;
  time: string;
}

/** Something the sessions know together, with its last changes, the present one last. */
export interface FactView {
  key: string;
  value: string;
  version: number;
  changes: FactChangeView[];
}

/**
 * Something noted: `run` is empty where no session of ours did it, `question` where nothing is asked, `answer` where
 * nobody answered yet.
 */
export interface NoteView {
  kind: "progress" | "decision" | "question";
  by: string;
  run: string;
  text: string;
  time: string;
  question: string;
  choices: string[];
  answer: string;
}

/**
 * A review comment with its place (in a review where its words are now, 0 where they are gone) and, once the planner
 * spoke, its answer.
 */
export interface CommentView {
  id: string;
  document: string;
  line: number;
  quote: string;
  section: string;
  text: string;
  author: string;
  answer: string;
  resolved: string;
}

/** An approved, published and tagged set of documents. */
export interface VersionView {
  number: number;
  tag: string;
  specs: string;
  feature: string;
  digests: Record<string, string>;
}

/** Where git holds a SpecTask; a branch is empty until it exists. `session` branches are named by run id. */
export interface BranchesView {
  specs: string;
  feature: string;
  sessions: Record<string, string>;
}

/** Everything a page about one SpecTask shows. */
export interface SpecTaskView {
  id: string;
  prompt: string;
  repository: string;
  state: string;
  why: string;
  flow: string;
  agent: string;
  label: string;
  created: string;
  updated: string;
  total: number;
  merged: number;
  skipped: number;
  progress: ProgressView;
  cost_usd: string;
  unknown_calls: number;
  needs: NeedView[];
  base: string;
  target: string;
  target_behind: number;
  target_conflicts: string[];
  has_landed: boolean;
  pull_request: PullRequestView | null;
  warnings: string[];
  trouble: string;
  reason: string;
  outside: boolean;
  review_mode: string;
  execute: boolean;
  in_advance: boolean;
  paused: boolean;
  owner: string;
  limits: LimitsView;
  options: OptionsView;
  documents: DocumentView[];
  tasks: TaskView[];
  sessions: SessionView[];
  planning: SessionView[];
  messages: MessageView[];
  facts: FactView[];
  notes: NoteView[];
  comments: CommentView[];
  versions: VersionView[];
  spend: SpendView;
  branches: BranchesView;
  final: string;
  accepted_by: string;
  desk: string;
  dialect: string;
  adopted: string;
}

/** The SpecTask that was made. */
export interface NewResult {
  spectask: SpecTaskView;
  seq: number;
}

/**
 * A SpecTask as one line; `label` marks the work of an agent that does not reason, `unknown_calls` are missing in its
 * cost.
 */
export interface SpecTaskSummary {
  id: string;
  prompt: string;
  repository: string;
  state: string;
  why: string;
  flow: string;
  agent: string;
  label: string;
  created: string;
  updated: string;
  total: number;
  merged: number;
  skipped: number;
  progress: ProgressView;
  cost_usd: string;
  unknown_calls: number;
  needs: NeedView[];
}

/** SpecTasks, those that need a human first. */
export interface ListResult {
  spectasks: SpecTaskSummary[];
}

/** From which event on notifications follow; `fresh` tells that the asked-for log is another one. */
export interface Subscribed {
  instance: string;
  seq: number;
  fresh: boolean;
}

/** The report as Markdown. */
export interface ReportResult {
  spectask: string;
  markdown: string;
}

/** A task that builds a requirement, at a line of the tasks document. */
export interface TraceTaskView {
  id: string;
  title: string;
  state: string;
  line: number;
}

/** A session that worked on such a task. */
export interface TraceSessionView {
  id: string;
  task: string;
  state: string;
}

/** A commit that says by its trailers that it is for a requirement, or for a task of it. */
export interface TraceCommitView {
  oid: string;
  subject: string;
  session: string;
}

/** A line of a file that speaks of a requirement; not `sure` where several specs may be meant. */
export interface MentionView {
  path: string;
  line: number;
  text: string;
  sure: boolean;
}

/**
 * A requirement or criterion with what is known of it; `gaps` are `no-task` and `no-test`, of a criterion or of a
 * requirement that has none.
 */
export interface TraceRowView {
  kind: string;
  id: string;
  title: string;
  document: string;
  line: number;
  tasks: TraceTaskView[];
  properties: string[];
  sessions: TraceSessionView[];
  commits: TraceCommitView[];
  code: MentionView[];
  tests: MentionView[];
  gaps: string[];
  criteria: TraceRowView[];
}

/**
 * Who built and tested which requirement of a spec; `gaps` counts those of all rows, `passed_over` the files that are
 * binary or too large to be searched.
 */
export interface TraceResult {
  spec: string;
  requirements: TraceRowView[];
  gaps: number;
  passed_over: number;
}

/** What one run spent. */
export interface RunCost {
  spectask: string;
  run: string;
  task: string;
  role: string;
  agent: string;
  status: string;
  spend: SpendView;
}

/** What the runs of one role spent. */
export interface RoleCost {
  role: string;
  spend: SpendView;
}

/**
 * The share of a requirement, by what tasks call it; empty: what was spent for none. A task's cost is split evenly over
 * those it names.
 */
export interface RequirementCost {
  requirement: string;
  cost_usd: string;
}

/**
 * One attempt of a model call. `cost_usd` is missing where nobody knows it, `price` names what it was priced by, and
 * `fault` says why it broke.
 */
export interface CallCost {
  run: string;
  call: number;
  turn: number;
  time: string;
  model: string;
  request_id: string;
  input_tokens: number;
  cache_read: number;
  cache_write: number;
  cache_write_1h: number;
  output_tokens: number;
  estimated: boolean;
  cost_usd: string | null;
  price: string;
  cached: boolean;
  fault: string;
}

/**
 * What was spent: by run, by role, and of one SpecTask by requirement (`note` says how that is counted) and, if asked
 * for, by call; and in all.
 */
export interface CostResult {
  runs: RunCost[];
  total: SpendView;
  roles: RoleCost[];
  requirements: RequirementCost[];
  calls: CallCost[];
  note: string;
}

/** An event of the log: `payload` is the event without document texts, `text` one sentence about it. */
export interface EventView {
  seq: number;
  instance: string;
  spectask: string;
  time: string;
  actor: string;
  kind: string;
  payload: Record<string, unknown>;
  text: string;
}

/** Events in order; `more` tells that others follow the last of them. */
export interface HistoryResult {
  events: EventView[];
  more: boolean;
}

/**
 * One thing in a run's transcript, from event `seq`.
 * `who` is the person, tool, cause or outcome it is about; `tool_use` ties a tool's result to its call; `wrong` tells a
 * failure.
 */
export interface EntryView {
  seq: number;
  time: string;
  kind: "told" | "call" | "lost" | "text" | "thinking" | "tool" | "result" | "message" | "question" | "answer" | "claim" | "check" | "back" | "merged" | "ended" | "note";
  text: string;
  who: string;
  tool_use: string;
  wrong: boolean;
}

/**
 * A run and what was said in it, in order, up to event `seq`; `more` tells that other entries follow. `label` marks an
 * agent that does not reason.
 */
export interface TranscriptResult {
  session: SessionView;
  title: string;
  label: string;
  entries: EntryView[];
  seq: number;
  more: boolean;
}

/**
 * A document as it is to be approved: its text, the text last approved, and the text when changes were requested since
 * (empty where there is none).
 */
export interface ReviewDocument {
  name: string;
  path: string;
  digest: string;
  approval: "missing" | "none" | "recording" | "valid" | "void";
  approved_by: string;
  approved_in_advance: boolean;
  author: string;
  text: string;
  approved_text: string;
  sent_back_text: string;
}

/** Something the spec linter or the plan found. */
export interface ProblemView {
  document: string;
  line: number;
  code: string;
  severity: "error" | "warning" | "info";
  message: string;
}

/**
 * What a reviewer reads: documents, problems, comments that are open or that the planner has just settled, and the
 * folder to edit in.
 */
export interface ReviewResult {
  spectask: string;
  state: string;
  why: string;
  desk: string;
  documents: ReviewDocument[];
  problems: ProblemView[];
  comments: CommentView[];
}

/** A change that is durable: the sequence number of its last event, and one sentence about it. */
export interface Done {
  spectask: string;
  seq: number;
  text: string;
}

/**
 * A task that would be done: when it would begin, in seconds after the start (null where it likely never would), and
 * what it may take.
 * `source` says what that is taken from: ended sessions, a written estimate, or a guess. `usd` is null where the price
 * is unknown. `condition` is the case for which it is done, such as “task 1 failed”; nothing where it is done in every
 * one.
 */
export interface ForecastTaskView {
  number: string;
  title: string;
  wave: number;
  role: string;
  agent: string;
  files: string[];
  check: string;
  depends: string[];
  begins: number | null;
  seconds: RangeView;
  usd: RangeView | null;
  source: string;
  condition: string;
}

/** Something a person would be asked or told; `stops` where nothing would start before it is settled. */
export interface AskView {
  code: string;
  text: string;
  hint: string;
  stops: boolean;
}

/**
 * A dry run: tasks in the order they would begin, how long all of it may take in seconds, what it may cost, and what
 * would be asked.
 */
export interface ForecastView {
  could_run: boolean;
  tasks: ForecastTaskView[];
  soft_edges: string[][];
  speed_up: number;
  seconds: RangeView;
  usd: RangeView | null;
  asks: AskView[];
}

/**
 * What starts, or would start: waves of task numbers, how many run at once under the limit, and why it cannot start yet
 * (or nothing).
 * A dry run has a `forecast`.
 */
export interface RunResult {
  spectask: string;
  started: boolean;
  seq: number;
  why: string;
  waves: string[][];
  critical_path: string[];
  max_parallel: number;
  forecast: ForecastView | null;
}

/** The runs of a SpecTask: planning first, then sessions by number. */
export interface SessionsResult {
  spectask: string;
  sessions: SessionView[];
}

/** A question as it stands: `answer` is empty until a person gave one. */
export interface AskResult {
  spectask: string;
  question: string;
  answer: string;
}

/** Who has a resource: a session, the task it works on (empty where it was spawned), how, and for how long already. */
export interface HolderView {
  spectask: string;
  session: string;
  task: string;
  title: string;
  mode: "shared" | "exclusive";
  since: string;
  seconds: number;
}

/**
 * Who waits for a resource and what for; `session` is empty, and `since` null, for a task that begins only when it is
 * free. `gives_up` is when it waits no longer.
 */
export interface InLineView {
  spectask: string;
  session: string;
  task: string;
  title: string;
  mode: "shared" | "exclusive";
  since: string | null;
  seconds: number;
  gives_up: string | null;
  why: string;
}

/**
 * What happened around a resource so far: how often it was taken, how often only after somebody had left, and how long
 * that took.
 * The median is that of the last hundred waits, `victims` are those who gave way last in deadlocks, `held` counts the
 * present holds too.
 */
export interface LockStatisticsView {
  taken: number;
  waited: number;
  median_wait: number;
  longest_wait: number;
  timeouts: number;
  deadlocks: number;
  victims: string[];
  taken_back: number;
  held: number;
}

/**
 * A resource; `repository` is empty where it is everybody's, or where no session has used it yet. At most `capacity`
 * share it, null is any number.
 */
export interface ResourceView {
  resource: string;
  repository: string;
  capacity: number | null;
  configured: boolean;
  holders: HolderView[];
  line: InLineView[];
  statistics: LockStatisticsView;
}

/**
 * Every resource that is configured or was used, those with a line first; how long an agent waits for one where it
 * names no time, and at most.
 */
export interface LocksResult {
  resources: ResourceView[];
  usual_wait: number;
  most_wait: number;
}

/** What came of landing: the target was moved, had the work already, or is moved by the person with `command`. */
export interface LandResult {
  spectask: string;
  how: "moved" | "already" | "by-hand";
  target: string;
  commit: string;
  command: string;
  text: string;
}

/** A text that a document had; `version` is `v1` and so on where it was approved in one, else empty. */
export interface DocumentVersionView {
  digest: string;
  commit: string;
  time: string;
  author: string;
  subject: string;
  version: string;
}

/** The texts a document had, newest first. */
export interface VersionsResult {
  spectask: string;
  document: string;
  versions: DocumentVersionView[];
}

/** How a document differs between two texts: a unified diff, empty where it does not. */
export interface DocumentDiff {
  document: string;
  since: string;
  until: string;
  diff: string;
}

/** How documents differ. */
export interface DiffResult {
  spectask: string;
  documents: DocumentDiff[];
}

/** A SpecTask found in git: read back, known already, or not readable for a `reason`. */
export interface RebuiltView {
  spectask: string;
  outcome: "rebuilt" | "known" | "damaged";
  state: string;
  reason: string;
}

/** What the branches of a repository hold. */
export interface RebuildResult {
  spectasks: RebuiltView[];
  text: string;
}

/** A ref with the commit or tag that it has here and would have, or has, there. */
export interface PushedRef {
  ref: string;
  commit: string;
}

/**
 * What came of asking for a pull request: a question (`asks`), one that was opened, or one that was brought up to date.
 * `address` is where it goes, without credentials; `confirm` names exactly this, to be sent back by whoever agrees;
 * `number` is 0 and `url` empty where there is none yet.
 */
export interface PrResult {
  spectask: string;
  how: "asks" | "opened" | "updated";
  remote: string;
  address: string;
  forge: string;
  branch: string;
  base: string;
  refs: PushedRef[];
  with_records: boolean;
  confirm: string;
  url: string;
  number: number;
  text: string;
}

/** A SpecTask somebody works for. */
export interface AtWorkView {
  id: string;
  state: string;
  progress: ProgressView;
}

/**
 * How a provider of model calls stands: `limit` calls at once of at most `most`, `free` places, the runs that wait, and
 * in `trouble` what is wrong, or nothing.
 * `again` is when the next call may leave, None where that is now or hangs on another call.
 */
export interface ProviderView {
  name: string;
  limit: number;
  most: number;
  in_flight: number;
  free: number;
  waiting: string[];
  circuit: "closed" | "open" | "half-open";
  reason: string;
  again: string | null;
  trouble: string;
}

/**
 * How the daemon is: `uptime` in seconds, `memory` in bytes, `live` counts running sessions, `at_work` are the
 * SpecTasks they work for.
 * `hindrance` is what keeps agents from working, or nothing.
 */
export interface StatusResult {
  version: string;
  pid: number;
  instance: string;
  seq: number;
  state_folder: string;
  uptime: number;
  memory: number;
  clients: number;
  spectasks: Record<string, number>;
  live: number;
  at_work: AtWorkView[];
  trouble: string;
  hindrance: string;
  statistics: Record<string, unknown>;
  providers: ProviderView[];
}

/** Lines of the daemon's log, oldest first. */
export interface LogsResult {
  lines: string[];
}

/**
 * How the cache did since the daemon started, in bytes and counts; `concerned` counts what was exported, taken in or
 * forgotten, and `text` says so.
 */
export interface CacheResult {
  hits: number;
  misses: number;
  hit_rate: number;
  evicted: number;
  expired: number;
  entries: number;
  bytes: number;
  most_bytes: number;
  concerned: number;
  text: string;
}

/** The daemon stops; `live` sessions resume with the next start. */
export interface StopResult {
  live: number;
}

/** What a repository asks for; `fingerprint` is empty where it asks for nothing. */
export interface AllowResult {
  file: string;
  keys: Record<string, unknown>;
  fingerprint: string;
  allowed: boolean;
}

/** Streamed text of a run; may be dropped. A `CallLost` of the run makes void what came since its last call. */
export interface Tick {
  run: string;
  text: string;
}

/** The client was too slow: the events after `since` up to `seq` were left out; ask for the views again. */
export interface Resync {
  instance: string;
  since: number;
  seq: number;
}

/** The daemon was told to stop and closes the connection next. */
export interface Stopping {
  reason: string;
}

/** The relay reached a daemon again, whose log and last event these are: what came meanwhile is asked for anew. */
export interface Reconnected {
  instance: string;
  seq: number;
}

/** Why something did not happen: a stable code, what happened, and what to do next. */
export interface RefusalView {
  code: string;
  message: string;
  hint: string;
}

/** Requests by name: their params and their result. */
export interface Requests {
  "specthread/new": { params: NewParams; result: NewResult };
  "specthread/list": { params: ListParams; result: ListResult };
  "specthread/show": { params: SpecTaskParams; result: SpecTaskView };
  "specthread/watch": { params: WatchParams; result: Subscribed };
  "specthread/report": { params: SpecTaskParams; result: ReportResult };
  "specthread/trace": { params: TraceParams; result: TraceResult };
  "specthread/cost": { params: CostParams; result: CostResult };
  "specthread/history": { params: HistoryParams; result: HistoryResult };
  "specthread/transcript": { params: TranscriptParams; result: TranscriptResult };
  "specthread/review": { params: SpecTaskParams; result: ReviewResult };
  "specthread/comment": { params: CommentParams; result: Done };
  "specthread/resolve": { params: ResolveParams; result: Done };
  "specthread/approve": { params: ApproveParams; result: Done };
  "specthread/request-changes": { params: RequestChangesParams; result: Done };
  "specthread/run": { params: RunParams; result: RunResult };
  "specthread/sessions": { params: SpecTaskParams; result: SessionsResult };
  "specthread/say": { params: SayParams; result: Done };
  "specthread/answer": { params: AnswerParams; result: Done };
  "specthread/note": { params: NoteParams; result: Done };
  "specthread/ask": { params: AskParams; result: AskResult };
  "specthread/pause": { params: TargetChange; result: Done };
  "specthread/resume": { params: TargetChange; result: Done };
  "specthread/cancel": { params: TargetChange; result: Done };
  "specthread/retry": { params: RetryParams; result: Done };
  "specthread/spawn": { params: SpawnParams; result: Done };
  "specthread/locks": { params: NoParams; result: LocksResult };
  "specthread/release": { params: ReleaseParams; result: Done };
  "specthread/accept": { params: AcceptParams; result: Done };
  "specthread/skip": { params: SkipParams; result: Done };
  "specthread/sync": { params: SpecTaskChange; result: Done };
  "specthread/land": { params: SpecTaskChange; result: LandResult };
  "specthread/archive": { params: SpecTaskChange; result: Done };
  "specthread/versions": { params: VersionsParams; result: VersionsResult };
  "specthread/diff": { params: DiffParams; result: DiffResult };
  "specthread/rebuild": { params: RebuildParams; result: RebuildResult };
  "specthread/pr": { params: PrParams; result: PrResult };
  "specthread/subscribe": { params: SubscribeParams; result: Subscribed };
  "specthread/status": { params: NoParams; result: StatusResult };
  "specthread/logs": { params: LogsParams; result: LogsResult };
  "specthread/cache": { params: CacheParams; result: CacheResult };
  "specthread/stop": { params: NoParams; result: StopResult };
  "specthread/allow": { params: AllowParams; result: AllowResult };
}

/** What the daemon says unasked. */
export interface Notifications {
  "specthread/event": EventView;
  "specthread/tick": Tick;
  "specthread/resync": Resync;
  "specthread/stopping": Stopping;
  "specthread/reconnected": Reconnected;
}
