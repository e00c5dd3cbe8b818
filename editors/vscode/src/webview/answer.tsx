// The box in which a question is answered, and the one in which a running agent is told something.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { NeedView } from "../../../protocol";
import type { Head } from "../panels/session-model";
import { run } from "./host";
import { Icon } from "./icons";
import { Markdown } from "./markdown";

/** What came of words that were sent: how often an answer came, and whether the last ones were taken. */
export interface Sent {
  count: number;
  isTaken: boolean;
}

/** Whether words are on their way; `taken` is called once they were, and what was refused stays where it was typed. */
function useSending(sent: Sent, taken: () => void): [boolean, () => void] {
  const [isSending, setSending] = useState(false);
  const before = useRef(sent.count);
  useEffect(() => {
    if (before.current === sent.count) return;
    before.current = sent.count;
    setSending(false);
    if (sent.isTaken) taken();
  }, [sent, taken]);
  return [
    isSending,
    () => {
      setSending(true);
    },
  ];
}

/** Sends with Ctrl or Command and Enter. */
function onSend(send: () => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  };
}

export function Ask({ head, question, sent }: { head: Head; question: NeedView; sent: Sent }): JSX.Element {
  const [chosen, setChosen] = useState("");
  const [words, setWords] = useState("");
  const text = [chosen, words.trim()].filter(Boolean).join(": ");
  const [isSending, begin] = useSending(sent, nothing);
  const send = (): void => {
    if (!text || isSending) return;
    begin();
    run("specthread.answer", { run: head.run, question: question.question, text });
  };
  return (
    <section class="ask" aria-label="Question">
      <h2>
        <Icon name={question.kind === "permission" ? "key" : question.kind === "budget" ? "credit-card" : "question"} />
        {head.name} asks you
      </h2>
      <div class="inside">
        <Markdown text={question.text} />
        {question.choices.map((choice) => (
          <label key={choice} class={choice === chosen ? "choice chosen" : "choice"}>
            <input
              type="radio"
              name="choice"
              checked={choice === chosen}
              onChange={() => {
                setChosen(choice);
              }}
            />
            <span>{choice}</span>
          </label>
        ))}
        <label class="meta" for="words">
          {question.choices.length > 0 ? "Add a word, or answer in your own" : "Your answer"}
        </label>
        <textarea
          id="words"
          rows={2}
          value={words}
          onInput={(event) => {
            setWords(event.currentTarget.value);
          }}
          onKeyDown={onSend(send)}
        />
        <div class="row">
          <button class="primary" disabled={!text || isSending} title={text ? "" : "Choose or write an answer first"} onClick={send}>
            Answer
          </button>
          <span class="meta">
            <kbd>Ctrl Enter</kbd> sends; the answer is kept as a decision
          </span>
        </div>
      </div>
    </section>
  );
}

/** The question goes away by itself once it is answered. */
function nothing(): void {
  return;
}

export function Composer({ head, sent }: { head: Head; sent: Sent }): JSX.Element {
  const [words, setWords] = useState("");
  const [isSending, begin] = useSending(sent, () => {
    setWords("");
  });
  const send = (): void => {
    if (!words.trim() || isSending) return;
    begin();
    run("specthread.say", { run: head.run, text: words.trim() });
  };
  return (
    <footer>
      <textarea
        rows={1}
        placeholder={`Say something to ${head.name}; it reads it before its next turn`}
        value={words}
        readOnly={isSending}
        aria-label={`Say something to ${head.name}`}
        onInput={(event) => {
          setWords(event.currentTarget.value);
        }}
        onKeyDown={onSend(send)}
      />
      <button disabled={!words.trim() || isSending} title="Ctrl Enter" onClick={send}>
        Say
      </button>
    </footer>
  );
}
