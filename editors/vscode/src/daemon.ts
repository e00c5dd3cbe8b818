// What the extension asks of the daemon, without the way to it.

import type { Requests } from "../../protocol";

export type Method = keyof Requests;
export type Params<M extends Method> = Requests[M]["params"];
export type Result<M extends Method> = Requests[M]["result"];

/** The daemon did not do what was asked; `message` is a sentence for the person, with what to do next. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** Whether nobody was there to ask. */
  get isUnreachable(): boolean {
    return this.code === "offline";
  }
}

/** What the rest of the extension needs of a connection. */
export interface Daemon {
  request<M extends Method>(method: M, params: Params<M>): Promise<Result<M>>;
}
