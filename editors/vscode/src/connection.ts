// The way to the daemon: a language client whose server is `specthread lsp`, with the daemon's own methods typed.

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  ResponseError,
  State,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";
import type { Notifications, RefusalView } from "../../protocol";
import { Refused, type Daemon, type Method, type Params, type Result } from "./daemon";
import { withoutCommands } from "./words";

export type Liveness = { kind: "starting" } | { kind: "live" } | { kind: "offline"; why: string };

/** Says in the log what went wrong, and not in boxes: the panel says it in one sentence. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** One editor window's connection; it outlives restarts of the daemon. */
export class Connection implements Daemon, vscode.Disposable {
  private readonly emitters = {
    "specthread/event": new vscode.EventEmitter<Notifications["specthread/event"]>(),
    "specthread/tick": new vscode.EventEmitter<Notifications["specthread/tick"]>(),
    "specthread/resync": new vscode.EventEmitter<Notifications["specthread/resync"]>(),
    "specthread/reconnected": new vscode.EventEmitter<Notifications["specthread/reconnected"]>(),
  };
  private readonly livenessChanged = new vscode.EventEmitter<Liveness>();
  private client: LanguageClient | undefined;
  private last: Liveness = { kind: "starting" };
  private turn: Promise<void> = Promise.resolve();

  /** Tells whether the daemon can be asked. */
  readonly onDidChangeLiveness = this.livenessChanged.event;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  get liveness(): Liveness {
    return this.last;
  }

  readonly onEvent = this.emitters["specthread/event"].event;
  readonly onTick = this.emitters["specthread/tick"].event;
  /** Events were left out, or another daemon answers now: everything known is to be asked for anew. */
  readonly onGap = either(this.emitters["specthread/resync"].event, this.emitters["specthread/reconnected"].event);

  /** Starts the relay, anew where one runs; a failure is told as a state, never thrown. */
  start(): Promise<void> {
    return this.inTurn(async () => {
      await this.end();
      await this.begin();
    });
  }

  /** Says goodbye to the daemon. */
  stop(): Promise<void> {
    return this.inTurn(() => this.end());
  }

  /** A client that is still starting cannot be stopped, so starts and stops wait for each other. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(work);
    return this.turn;
  }

  private async begin(): Promise<void> {
    this.tell({ kind: "starting" });
    const command = vscode.workspace.getConfiguration("specthread").get<string>("path") ?? "specthread";
    const client = new QuietClient("specthread", "Specthread", { command, args: ["lsp"] }, this.options());
    client.registerFeature(announcement());
    for (const [name, emitter] of Object.entries(this.emitters)) {
      client.onNotification(name, (params: unknown) => {
        (emitter as vscode.EventEmitter<unknown>).fire(params);
      });
    }
    client.onNotification("specthread/stopping", () => {
      this.tell({ kind: "offline", why: "The daemon was stopped. It starts again when you ask for something." });
    });
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && this.client === client) this.tell({ kind: "offline", why: "The connection to the daemon ended." });
    });
    try {
      await client.start();
      this.client = client;
      this.tell({ kind: "live" });
    } catch (error) {
      this.tell({ kind: "offline", why: whyNotStarted(error, command) });
    }
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      if (client?.needsStop()) await client.dispose(2000);
    } catch (error) {
      this.log.warn(`The relay did not end well: ${String(error)}`);
    }
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file", language: "markdown" }],
      outputChannel: this.log,
      // One sentence in our own panel says what happened; the client's own boxes would say it again and again.
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
    };
  }

  /** Asks the daemon; throws `Refused` with a sentence for the person. */
  async request<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    if (!this.client) await this.start();
    if (!this.client) throw new Refused("offline", this.last.kind === "offline" ? this.last.why : "The daemon is still starting.");
    try {
      const result = await this.client.sendRequest<Result<M>>(method, params);
      this.tell({ kind: "live" });
      return result;
    } catch (error) {
      throw refusedFrom(error);
    }
  }

  /** Begins one of the server's own commands, for what it does best itself. */
  async execute(command: string, argument: Record<string, string>): Promise<void> {
    await this.client?.sendRequest("workspace/executeCommand", { command, arguments: [argument] });
  }

  private tell(liveness: Liveness): void {
    if (liveness.kind === this.last.kind && liveness.kind !== "offline") return;
    this.last = liveness;
    this.log.info(liveness.kind === "offline" ? `offline: ${liveness.why}` : liveness.kind);
    this.livenessChanged.fire(liveness);
  }

  dispose(): void {
    void this.stop();
    for (const emitter of Object.values(this.emitters)) emitter.dispose();
    this.livenessChanged.dispose();
  }
}

/** With faces of its own for everything, this client wants no message boxes, no commands and no progress bars from the server. */
function announcement(): StaticFeature {
  return {
    fillClientCapabilities: (capabilities) => {
      capabilities.window = { ...capabilities.window, workDoneProgress: false };
      capabilities.experimental = { ...(capabilities.experimental as object | undefined), specthread: { comments: true } };
    },
    initialize: () => undefined,
    getState: () => ({ kind: "static" }),
    clear: () => undefined,
  };
}

function either<A, B>(one: vscode.Event<A>, other: vscode.Event<B>): vscode.Event<unknown> {
  return (listener, self, disposables) => {
    const both = vscode.Disposable.from(
      one(() => {
        listener.call(self, undefined);
      }),
      other(() => {
        listener.call(self, undefined);
      }),
    );
    disposables?.push(both);
    return both;
  };
}

function refusedFrom(error: unknown): Refused {
  if (error instanceof ResponseError) {
    const refusal = error.data as Partial<RefusalView> | undefined;
    const sentence = withoutCommands([refusal?.message ?? error.message, refusal?.hint].filter(Boolean).join(" "));
    return new Refused(refusal?.code ?? String(error.code), sentence);
  }
  return new Refused("connection", error instanceof Error ? error.message : String(error));
}

function whyNotStarted(error: unknown, command: string): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes("ENOENT")) {
    return `\`${command}\` is not installed here. Install it with \`pip install specthread\`, or set “Specthread: Path” to where it is.`;
  }
  return text;
}
