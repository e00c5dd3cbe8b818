import { render, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Card, Group, NeedCard, Overview } from "../panels/overview-model";
import { host, run } from "./host";
import { Icon } from "./icons";
import "./base.css";
import "./overview.css";

const LIVE = ["Implementing", "In review", "Planning"];

function App(): JSX.Element {
  const [model, setModel] = useState<Overview>();
  useEffect(() => {
    const listen = ({ data }: MessageEvent<Overview>): void => {
      setModel(data);
    };
    addEventListener("message", listen);
    host.postMessage({ kind: "ready" });
    return () => {
      removeEventListener("message", listen);
    };
  }, []);
  if (!model) return <></>;
  const isEmpty = model.loaded && model.groups.length === 0;
  return (
    <main>
      {model.liveness.kind === "offline" ? <Offline why={model.liveness.why} /> : null}
      {model.trusted ? null : <Untrusted />}
      {isEmpty ? <Empty trusted={model.trusted} /> : null}
      <div class={model.liveness.kind === "offline" ? "dimmed" : ""}>
        {model.needs.length > 0 ? <Needs needs={model.needs} /> : null}
        {model.groups.map((group) => (
          <Cards key={group.name} group={group} />
        ))}
      </div>
      {model.loaded ? <Foot model={model} /> : null}
    </main>
  );
}

function Offline({ why }: { why: string }): JSX.Element {
  return (
    <section class="banner" role="status">
      <p>{why}</p>
      <button
        class="primary"
        onClick={() => {
          run("specthread.restart", {});
        }}
      >
        Connect
      </button>
    </section>
  );
}

function Untrusted(): JSX.Element {
  return (
    <section class="banner" role="status">
      <p>This folder is not trusted yet, so nothing can be started, approved or answered in it.</p>
      <button
        class="primary"
        onClick={() => {
          run("specthread.manage-trust", {});
        }}
      >
        Manage Trust…
      </button>
    </section>
  );
}

function Empty({ trusted }: { trusted: boolean }): JSX.Element {
  return (
    <section class="empty">
      <p>
        Say in a sentence what should be built. The planner writes requirements, design and tasks; nothing runs before you approve them.
      </p>
      {trusted ? (
        <button
          class="primary"
          onClick={() => {
            run("specthread.new-task", {});
          }}
        >
          New SpecTask…
        </button>
      ) : null}
    </section>
  );
}

function Needs({ needs }: { needs: NeedCard[] }): JSX.Element {
  return (
    <details open>
      <summary>
        <Icon name="chevron" />
        <h2>Needs you</h2>
        <span class="count wait">{needs.length}</span>
      </summary>
      <ul>
        {needs.map((need) => (
          <NeedItem key={need.key} need={need} />
        ))}
      </ul>
    </details>
  );
}

function NeedItem({ need }: { need: NeedCard }): JSX.Element {
  return (
    <li class="item">
      <Icon name={need.look.icon} tone={need.look.tone} label={need.look.word} />
      <div class="body">
        <p class="say">
          {need.who ? <b>{need.who} </b> : null}
          {need.text}
        </p>
        <p class="meta" title={need.spectask}>
          {need.title} · {need.age}
        </p>
        <div class="buttons">
          {need.actions.map((action) => (
            <button
              key={action.label}
              class={action.primary ? "primary" : ""}
              title={action.argument.text ?? action.label}
              onClick={() => {
                run(action.command, action.argument);
              }}
            >
              {action.label}
            </button>
          ))}
        </div>
      </div>
    </li>
  );
}

function Cards({ group }: { group: Group }): JSX.Element {
  return (
    <details open={LIVE.includes(group.name)}>
      <summary>
        <Icon name="chevron" />
        <h2>{group.name}</h2>
        <span class="count">{group.cards.length}</span>
      </summary>
      <ul>
        {group.cards.map((card) => (
          <CardItem key={card.id} card={card} />
        ))}
      </ul>
    </details>
  );
}

function CardItem({ card }: { card: Card }): JSX.Element {
  return (
    <li class="item">
      <Icon name={card.look.icon} tone={card.look.tone} label={card.look.word} />
      <div class="body">
        <div class="row">
          <button
            class="link trunc"
            title={card.title}
            onClick={() => {
              run("specthread.reveal", { id: card.id });
            }}
          >
            {card.title}
          </button>
          {card.label ? <span class="chip">{card.label}</span> : null}
          <span class="meta">{card.age}</span>
        </div>
        {card.segments.length > 0 ? (
          <span class="thread" role="img" aria-label={card.spoken} title={card.spoken}>
            {card.segments.map((segment, index) => (
              <i key={index} class={`seg-${segment}`} />
            ))}
          </span>
        ) : null}
        <div class="row meta">
          <span class="grow">{card.progress}</span>
          <span>{card.spent}</span>
        </div>
        {card.why ? (
          <p class="why" title={card.why}>
            {card.why}
          </p>
        ) : null}
      </div>
    </li>
  );
}

function Foot({ model }: { model: Overview }): JSX.Element {
  const sessions = model.running === 1 ? "1 session" : `${model.running} sessions`;
  const words = { live: model.running ? `Live, ${sessions}` : "Live", starting: "Connecting…", offline: "Offline" };
  return (
    <footer class={model.liveness.kind}>
      <span class="dot" />
      <span class="grow">{words[model.liveness.kind]}</span>
      <span>{model.spent} in all</span>
    </footer>
  );
}

const root = document.getElementById("root");
if (root) render(<App />, root);
