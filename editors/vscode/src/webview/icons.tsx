// One shape per state, so that none is told by colour alone. Drawn on a 16 by 16 grid.

import type { JSX } from "preact";

const line = { fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linecap": "round", "stroke-linejoin": "round" } as const;
const mark = { ...line, stroke: "var(--ground)", "stroke-width": 1.6 } as const;
const ring = <circle cx="8" cy="8" r="5.75" {...line} />;
const diamond = <path d="M8 1 15 8 8 15 1 8Z" fill="currentColor" />;
const tick = "M5.2 8.3l2 2 3.7-4.2";

const SHAPES: Record<string, JSX.Element> = {
  "circle-large-outline": <circle cx="8" cy="8" r="5.75" {...line} stroke-dasharray="1.8 2.2" />,
  "circle-slash": (
    <>
      {ring}
      <path d="M4.2 11.8l7.6-7.6" {...line} />
    </>
  ),
  "debug-pause": (
    <>
      {ring}
      <path d="M6.5 6v4M9.5 6v4" {...line} />
    </>
  ),
  "debug-disconnect": (
    <>
      {ring}
      <path d="M9 4.7 6.6 8.2h2.8L7 11.3" {...line} />
    </>
  ),
  "debug-step-over": (
    <>
      {ring}
      <path d="M5 8h6" {...line} />
    </>
  ),
  "loading~spin": (
    <>
      <circle cx="8" cy="8" r="5.75" {...line} opacity=".3" />
      <path class="spin" d="M8 2.25A5.75 5.75 0 0 1 13.75 8" {...line} stroke-width="2.2" />
    </>
  ),
  edit: <path d="M3 13l.6-2.8 6.9-6.9 2.2 2.2-6.9 6.9ZM9 4.8 11.2 7" {...line} />,
  eye: (
    <>
      <path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Z" {...line} />
      <circle cx="8" cy="8" r="2.2" fill="currentColor" />
    </>
  ),
  question: (
    <>
      {diamond}
      <path d="M6.4 6.6c.1-1 .8-1.5 1.6-1.5s1.6.5 1.6 1.4c0 1.1-1.6 1.1-1.6 2.3M8 10.9v.1" {...mark} />
    </>
  ),
  key: (
    <>
      {diamond}
      <circle cx="8" cy="6.4" r="1.4" {...mark} />
      <path d="M8 7.8v3" {...mark} />
    </>
  ),
  "credit-card": (
    <>
      {diamond}
      <path
        d="M9.5 6.3C9.2 5.8 8.7 5.6 8 5.6c-.9 0-1.5.4-1.5 1.1 0 1.6 3 .8 3 2.4 0 .8-.7 1.2-1.5 1.2s-1.3-.3-1.6-.9M8 4.7v6.6"
        {...mark}
        stroke-width="1.3"
      />
    </>
  ),
  beaker: (
    <>
      <rect x="2.25" y="2.25" width="11.5" height="11.5" rx="2.5" {...line} stroke-dasharray="3 2" />
      <path d={tick} {...line} />
    </>
  ),
  pass: (
    <>
      <rect x="2.25" y="2.25" width="11.5" height="11.5" rx="2.5" {...line} />
      <path d={tick} {...line} />
    </>
  ),
  "pass-filled": (
    <>
      <circle cx="8" cy="8" r="6.75" fill="currentColor" />
      <path d={tick} {...mark} />
    </>
  ),
  "git-merge": (
    <>
      <circle cx="4" cy="3.5" r="1.8" fill="currentColor" />
      <circle cx="4" cy="12.5" r="1.8" fill="currentColor" />
      <circle cx="12" cy="9" r="1.8" fill="currentColor" />
      <path d="M4 5v6M4 5c.5 2.8 3 4 6.5 4" {...line} />
    </>
  ),
  error: (
    <>
      <path d="M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2Z" fill="currentColor" />
      <path d="M5.7 5.7l4.6 4.6M10.300 5.7l-4.6 4.6" {...mark} />
    </>
  ),
  warning: (
    <>
      <path d="M8 1.5 15 14H1Z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      <path d="M8 6v3.7M8 12v.1" {...mark} />
    </>
  ),
  lock: <path d="M4 7.5h8v6H4ZM5.5 7.5V5.2a2.5 2.5 0 0 1 5 0v2.300" {...line} />,
  archive: <path d="M2.5 3h11v3h-11ZM3.5 6v7h9V6M6.5 9h3" {...line} />,
  chevron: <path d="M6 4l4 4-4 4" {...line} />,
  message: <path d="M2 3h12v8.5H7L4 14v-2.5H2Z" {...line} />,
  tool: <path d="M10.5 2.2a3.5 3.5 0 0 0-3.2 4.800L2.5 11.800l1.7 1.7L9 8.7a3.5 3.5 0 0 0 4.800-3.2L11.7 7 9.5 6.5 9 4.300Z" {...line} />,
  think: <path d="M3 4h10M3 8h10M3 12h6" {...line} />,
  note: <path d="M4 2.5h8v11H4ZM6 5.5h4M6 8h4" {...line} />,
  back: <path d="M3 6h6.5a3.5 3.5 0 0 1 0 7H6M5.5 3.5 3 6l2.5 2.5" {...line} />,
};
SHAPES.sync = SHAPES["loading~spin"] ?? ring;

export function Icon({ name, tone, label }: { name: string; tone?: string; label?: string }): JSX.Element {
  return (
    <svg
      class={`icon${tone ? ` tone-${tone}` : ""}`}
      viewBox="0 0 16 16"
      {...(label ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
    >
      {label ? <title>{label}</title> : null}
      {SHAPES[name] ?? ring}
    </svg>
  );
}
