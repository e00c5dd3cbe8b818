// The box in which a question is answered, and the one in which a running agent is told something.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { NeedView } from "../../../protocol";
import type { Head } from "../panels/session-model";
import { run } from "./host";
import { Icon } from "./icons";
import { Markdown } from "./markdown";

/** Sends with Ctrl or Command and Enter. */
function onSend(send: () => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  };
}

export function Ask({ head, question }: { head: Head; question: NeedView }): JSX.Element {
  const [chosen, setChosen] = useState("");
  const [words, setWords] = useState("");
  const text = [chosen, words.trim()].filter(Boolean).join(": ");
  const send = (): void => {
    if (text) run("specthread.answer", { run: head.run, text });
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
          <button class="primary" disabled={!text} title={text ? "" : "Choose or write an answer first"} onClick={send}>
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

export function Composer({ head }: { head: Head }): JSX.Element {
  const [words, setWords] = useState("");
  const send = (): void => {
    if (!words.trim()) return;
    run("specthread.say", { run: head.run, text: words.trim() });
    setWords("");
  };
  return (
    <footer>
      <textarea
        rows={1}
        placeholder={`Say something to ${head.name}; it reads it before its next turn`}
        value={words}
        aria-label={`Say something to ${head.name}`}
        onInput={(event) => {
          setWords(event.currentTarget.value);
        }}
        onKeyDown={onSend(send)}
      />
      <button disabled={!words.trim()} title="Ctrl Enter" onClick={send}>
        Say
      </button>
    </footer>
  );
}
