// The editor's own boxes: sentences, questions and lists. They are opened here only, so that words of others pass through `plain`.

import * as vscode from "vscode";
import { Refused } from "./daemon";
import { plain } from "./plain";

const SHOWN_MS = 6000;

export type Tone = "information" | "warning" | "error";

const SHOW = {
  information: vscode.window.showInformationMessage,
  warning: vscode.window.showWarningMessage,
  error: vscode.window.showErrorMessage,
};

/** Says a sentence in a corner; returns the button that was pressed, if one was. */
export async function tell(tone: Tone, sentence: string, ...buttons: string[]): Promise<string | undefined> {
  const items = buttons.map((button) => ({ title: plain(button), button }));
  return (await SHOW[tone](plain(sentence), ...items))?.button;
}

/** Asks before something is done that cannot be taken back; returns the button that was pressed. */
export async function confirm(tone: Tone, question: string, detail: string, ...buttons: string[]): Promise<string | undefined> {
  const items = buttons.map((button) => ({ title: plain(button), button }));
  return (await SHOW[tone](plain(question), { modal: true, detail: plain(detail) }, ...items))?.button;
}

/** Says in the status bar that something was done. */
export function done(sentence: string): void {
  vscode.window.setStatusBarMessage(`$(check) ${plain(sentence)}`, SHOWN_MS);
}

/** A row of a list; `icon` is a codicon. */
export interface Row<T> {
  label: string;
  icon?: string;
  description?: string;
  detail?: string;
  value: T;
}

function item<T>(row: Row<T>): vscode.QuickPickItem & { value: T } {
  return {
    label: (row.icon ? `$(${row.icon}) ` : "") + plain(row.label),
    description: plain(row.description ?? ""),
    ...(row.detail ? { detail: plain(row.detail) } : {}),
    value: row.value,
  };
}

/** Lets one row be chosen. */
export async function pick<T>(rows: readonly Row<T>[], placeHolder: string): Promise<T | undefined> {
  const options = { placeHolder: plain(placeHolder), matchOnDescription: true, matchOnDetail: true };
  return (await vscode.window.showQuickPick(rows.map(item), options))?.value;
}

/** Lets rows be ticked off; all are ticked. */
export async function pickMany<T>(rows: readonly Row<T>[], title: string, placeHolder: string): Promise<T[] | undefined> {
  const items = rows.map((row) => ({ ...item(row), picked: true }));
  const picked = await vscode.window.showQuickPick(items, { title: plain(title), placeHolder: plain(placeHolder), canPickMany: true });
  return picked?.map((each) => each.value);
}

/** Lets an answer be chosen; none is before the person does, so a hasty Enter decides nothing. */
export function choose<T>(rows: readonly Row<T>[], title: string, placeHolder: string): Promise<T | undefined> {
  const box = vscode.window.createQuickPick<vscode.QuickPickItem & { value: T }>();
  box.title = plain(title);
  box.placeholder = plain(placeHolder);
  box.ignoreFocusOut = true;
  box.items = rows.map(item);
  box.activeItems = [];
  return new Promise((resolve) => {
    box.onDidAccept(() => {
      const [chosen] = box.selectedItems;
      if (!chosen) return;
      resolve(chosen.value);
      box.hide();
    });
    box.onDidHide(() => {
      resolve(undefined);
      box.dispose();
    });
    box.show();
  });
}

/** What is asked for in words; `needed` is said where there are none, and where it is absent none are needed. */
export interface Question {
  title: string;
  prompt: string;
  placeholder?: string;
  needed?: string;
  /** Words that were refused where they were typed first, and why. */
  refused?: { text: string; why: string };
  /** Adds to the box before it is shown. */
  dress?: (box: vscode.InputBox) => void;
}

/** Asks for words and sends them. The box stays, with its words, until they were taken; a refusal is said in it. */
export function ask<R>(question: Question, send: (text: string, key: string) => Promise<R>): Promise<R | undefined> {
  const box = vscode.window.createInputBox();
  box.title = plain(question.title);
  box.prompt = plain(question.prompt);
  box.placeholder = plain(question.placeholder ?? "");
  box.ignoreFocusOut = true;
  box.value = question.refused?.text ?? "";
  box.validationMessage = plain(question.refused?.why ?? "");
  question.dress?.(box);
  const sentBy = keys();
  let isSending = false;
  const taken = async (): Promise<R> => {
    isSending = true;
    box.enabled = false;
    box.busy = true;
    try {
      return await send(box.value.trim(), sentBy(box.value));
    } finally {
      isSending = false;
      box.enabled = true;
      box.busy = false;
    }
  };
  return new Promise((resolve, reject) => {
    const end = (): void => {
      resolve(undefined);
      box.dispose();
    };
    box.onDidChangeValue(() => (box.validationMessage = ""));
    box.onDidAccept(async () => {
      if (isSending) return;
      if (!box.value.trim() && question.needed) {
        box.validationMessage = question.needed;
        return;
      }
      try {
        resolve(await taken());
        end();
      } catch (error) {
        if (error instanceof Refused) {
          box.show();
          box.validationMessage = plain(error.message);
          return;
        }
        reject(error instanceof Error ? error : new Error(String(error)));
        end();
      }
    });
    box.onDidHide(() => {
      if (!isSending) end();
    });
    box.show();
  });
}

/** The same words sent again are the same request; other words are another one. */
function keys(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const key = known.get(text) ?? crypto.randomUUID();
    known.set(text, key);
    return key;
  };
}
