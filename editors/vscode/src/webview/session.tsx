import { render, type JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EntryView } from "../../../protocol";
import type { Head, ToSession } from "../panels/session-model";
import { Ask, Composer, type Sent } from "./answer";
import { Entries } from "./entries";
import { host, run } from "./host";
import { Icon } from "./icons";
import { Markdown } from "./markdown";
import "./base.css";
import "./session.css";

const NEAR_END_PX = 60;

interface State {
  head: Head | undefined;
  entries: EntryView[];
  /** Words that are still coming; the finished entry takes their place. */
  coming: string;
  trouble: string;
  /** What came of words that were sent: how often an answer came, and whether the last ones were taken. */
  sent: Sent;
}

const NOTHING: State = { head: undefined, entries: [], coming: "", trouble: "", sent: { count: 0, isTaken: true } };

/** What a message makes of what is shown. */
function after(state: State, message: ToSession): State {
  switch (message.kind) {
    case "head":
      host.setState({ run: message.head.run });
      return { ...state, head: message.head, trouble: "" };
    case "entries": {
      const isOver = message.entries.some((each) => each.kind === "call" || each.kind === "lost");
      return {
        ...state,
        entries: message.fresh ? message.entries : [...state.entries, ...message.entries],
        coming: isOver ? "" : state.coming,
      };
    }
    case "text":
      return { ...state, coming: state.coming + message.text };
    case "trouble":
      return { ...state, trouble: message.text };
    case "sent":
      return { ...state, sent: { count: state.sent.count + 1, isTaken: message.isTaken } };
  }
}

function App(): JSX.Element {
  const [state, setState] = useState(NOTHING);
  useEffect(() => {
    const listen = ({ data }: MessageEvent<ToSession>): void => {
      setState((before) => after(before, data));
    };
    addEventListener("message", listen);
    host.postMessage({ kind: "ready" });
    return () => {
      removeEventListener("message", listen);
    };
  }, []);
  const end = useFollowing(state);
  const { head, entries, coming, trouble, sent } = state;
  if (!head) return trouble ? <Trouble text={trouble} /> : <></>;
  return (
    <>
      <Top head={head} />
      {head.offline ? <Offline why={head.offline} /> : trouble ? <Trouble text={trouble} /> : null}
      <main>
        {entries.length === 0 && !coming ? <p class="quiet">Nothing was said yet.</p> : null}
        <Entries entries={head.question ? withoutLastQuestion(entries) : entries} name={head.name} />
        {coming ? (
          <div class="entry coming">
            <span class="time" />
            <Icon name="loading~spin" tone="live" label="Speaking" />
            <div class="content">
              <Markdown text={coming} />
            </div>
          </div>
        ) : null}
        {head.question ? <Ask key={head.question.question} head={head} question={head.question} sent={sent} /> : null}
      </main>
      {end.isAway ? (
        <button class="newpill" onClick={end.follow}>
          {end.news ? `${end.news} new, show` : "To the end"}
        </button>
      ) : null}
      {head.living && !head.question ? <Composer head={head} sent={sent} /> : null}
    </>
  );
}

function Trouble({ text }: { text: string }): JSX.Element {
  return (
    <p class="trouble" role="status">
      {text}
    </p>
  );
}

function Offline({ why }: { why: string }): JSX.Element {
  return (
    <section class="banner" role="status">
      <p>{why}</p>
      <Button label="Connect" command="specthread.restart" kind="primary" />
    </section>
  );
}

/** The open question is in the box below already. */
function withoutLastQuestion(entries: EntryView[]): EntryView[] {
  const last = entries.findLastIndex((each) => each.kind === "question");
  return entries.filter((_, index) => index !== last);
}

/** Keeps the end in view while the person is at the end, and counts what is new while they read further up. */
function useFollowing(state: State): { isAway: boolean; news: number; follow: () => void } {
  const [isAway, setAway] = useState(false);
  const seen = useRef(0);
  const follow = (): void => {
    scrollTo(0, document.documentElement.scrollHeight);
  };
  useEffect(() => {
    const look = (): void => {
      setAway(document.documentElement.scrollHeight - innerHeight - scrollY > NEAR_END_PX);
    };
    const press = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLTextAreaElement;
      if (event.key === "End" && !isTyping) follow();
    };
    addEventListener("scroll", look, { passive: true });
    addEventListener("keydown", press);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("keydown", press);
    };
  }, []);
  useLayoutEffect(() => {
    if (isAway) return;
    seen.current = state.entries.length;
    follow();
  }, [state, isAway]);
  return { isAway, news: Math.max(0, state.entries.length - seen.current), follow };
}

function Button({
  label,
  command,
  target,
  kind,
}: {
  label: string;
  command: string;
  target?: string;
  kind?: "primary" | "danger";
}): JSX.Element {
  return (
    <button
      class={kind ?? ""}
      onClick={() => {
        run(command, target === undefined ? {} : { [command === "specthread.retry" ? "run" : "target"]: target });
      }}
    >
      {label}
    </button>
  );
}

function Top({ head }: { head: Head }): JSX.Element {
  return (
    <header>
      <div class="row">
        <h1 class="trunc" title={head.run}>
          {head.title}
        </h1>
        <span class={`pill tone-${head.look.tone}`}>
          <Icon name={head.look.icon} />
          {head.look.word}
        </span>
        {head.label ? (
          <span class="pill label" title="This agent plays a script; nothing in it was reasoned.">
            {head.label}
          </span>
        ) : null}
        <span class="buttons">
          {head.living && !head.resumes ? <Button label="Pause" command="specthread.pause" target={head.run} /> : null}
          {head.resumes ? <Button label="Resume" command="specthread.resume" target={head.resumes} /> : null}
          {head.stopped ? <Button label="Retry" command="specthread.retry" target={head.run} /> : null}
          {head.living ? <Button label="Cancel…" command="specthread.cancel" target={head.run} kind="danger" /> : null}
        </span>
      </div>
      <p class="why">{head.why}</p>
      <p class="meta">{head.facts.join(" · ")}</p>
    </header>
  );
}

const root = document.getElementById("root");
if (root) render(<App />, root);
