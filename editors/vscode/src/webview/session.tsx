import { render, type JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { EntryView } from "../../../protocol";
import type { Head, ToSession } from "../panels/session-model";
import { Ask, Composer } from "./answer";
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
}

const NOTHING: State = { head: undefined, entries: [], coming: "", trouble: "" };

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
    case "told":
      return { ...state, trouble: message.wrong ? message.text : "" };
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
  const { head, entries, coming, trouble } = state;
  if (!head) return trouble ? <p class="trouble">{trouble}</p> : <></>;
  return (
    <>
      <Top head={head} />
      {trouble ? (
        <p class="trouble" role="status">
          {trouble}
        </p>
      ) : null}
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
        {head.question ? <Ask key={head.question.text} head={head} question={head.question} /> : null}
      </main>
      {end.isAway ? (
        <button class="newpill" onClick={end.follow}>
          {end.news ? `${end.news} new, show` : "To the end"}
        </button>
      ) : null}
      {head.living && !head.question ? <Composer head={head} /> : null}
    </>
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

function Top({ head }: { head: Head }): JSX.Element {
  const target = { run: head.run };
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
          {head.living && !head.paused ? (
            <button
              onClick={() => {
                run("specthread.pause", target);
              }}
            >
              Pause
            </button>
          ) : null}
          {head.paused ? (
            <button
              onClick={() => {
                run("specthread.resume", target);
              }}
            >
              Resume
            </button>
          ) : null}
          {head.stopped ? (
            <button
              onClick={() => {
                run("specthread.retry", target);
              }}
            >
              Retry
            </button>
          ) : null}
          {head.living ? (
            <button
              class="danger"
              onClick={() => {
                run("specthread.cancel", target);
              }}
            >
              Cancel…
            </button>
          ) : null}
        </span>
      </div>
      <p class="why">{head.why}</p>
      <p class="meta">{head.facts.join(" · ")}</p>
    </header>
  );
}

const root = document.getElementById("root");
if (root) render(<App />, root);
