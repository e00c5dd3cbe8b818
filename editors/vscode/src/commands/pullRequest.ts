// The one command that sends something to another machine.

import * as vscode from "vscode";
import type { PrResult } from "../../../protocol";
import * as boxes from "../boxes";
import { cut, title } from "../words";
import { given, requireTrust, whichSpectask, type Window } from "../window";

const SHOW = "Open in the Browser";
const PUSH = "Push";
const RECORDS = "With Records and Transcripts…";
const PUSHABLE = ["approved", "implementing", "implementation_review", "done"];

/** Pushes the feature branch and opens its pull request, after saying what goes where; records only by a choice of their own. */
export async function openPullRequest(window: Window, argument: unknown): Promise<string | undefined> {
  requireTrust();
  const spectask = await whichSpectask(
    window,
    given(argument),
    (each) => PUSHABLE.includes(each.state) && each.whole?.pull_request?.state !== "merged",
    "No SpecTask has approved work to push.",
  );
  if (!spectask) return undefined;
  const question = `Push “${cut(title(spectask), 60)}”?`;
  let plan = await window.connection.request("specthread/pr", { id: spectask.id });
  let chosen = await boxes.confirm("information", question, detailOf(plan), PUSH, RECORDS);
  if (chosen === RECORDS) {
    plan = await window.connection.request("specthread/pr", { id: spectask.id, with_records: true });
    chosen = await boxes.confirm("warning", question, detailOf(plan), PUSH);
  }
  if (chosen !== PUSH) return undefined;
  const params = { id: spectask.id, with_records: plan.with_records, confirm: plan.confirm, key: crypto.randomUUID() };
  const result = await window.connection.request("specthread/pr", params);
  if ((await boxes.tell("information", result.text, SHOW)) === SHOW) await vscode.env.openExternal(vscode.Uri.parse(result.url, true));
  return undefined;
}

/** What would be pushed where, one line each. */
function detailOf(plan: PrResult): string {
  const refs = plan.refs.map((each) => `${each.ref.replace(/^refs\/[a-z]+\//, "")} at ${each.commit.slice(0, 7)}`);
  const then = plan.url ? `Then ${plan.url} is brought up to date.` : `Then a draft pull request for ${plan.base} is opened.`;
  const said = plan.with_records ? ["With the records goes everything that was said in the sessions."] : [];
  return [`To ${plan.address}:`, ...refs, "", then, ...said].join("\n");
}
