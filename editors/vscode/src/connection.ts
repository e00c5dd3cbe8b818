// The way to the daemon: a language client whose server is `specthread lsp`, with the daemon's own methods typed.

import * as vscode from "vscode";
import {
  CloseAction,
  DocumentFormattingRequest,
  DocumentRangeFormattingRequest,
  ErrorAction,
  LanguageClient,
  State,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";
import type { Notifications } from "../../protocol";
import { Code } from "./code";
import { Refused, type Daemon, type Method, type Params, type Result } from "./daemon";
import { FORMATTED, sparing, SPECS } from "./documents";
import { refusedFrom, whyNotStarted } from "./refusal";

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
  private readonly began = new vscode.EventEmitter<undefined>();
  private client: LanguageClient | undefined;
  private code: Code | undefined;
  private last: Liveness = { kind: "starting" };
  private turn: Promise<void> = Promise.resolve();

  /** Tells whether the daemon can be asked. */
  readonly onDidChangeLiveness = this.livenessChanged.event;
  /** A relay began: it knows of no subscription, so everything is to be asked for anew. */
  readonly onDidBegin = this.began.event;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  get liveness(): Liveness {
    return this.last;
  }

  /** Why nobody can be asked now, as a sentence. */
  get whyOffline(): string {
    return this.last.kind === "offline" ? this.last.why : "The daemon is still starting. Try again in a moment.";
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

  /** Starts the relay where none runs; throws where nobody can be asked then. */
  async connect(): Promise<LanguageClient> {
    await this.turn;
    if (!this.client) await this.start();
    if (!this.client) throw new Refused("offline", this.whyOffline);
    return this.client;
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
    client.registerFeature(formatting(client));
    this.listen(client);
    try {
      await client.start();
    } catch (error) {
      this.tell({ kind: "offline", why: whyNotStarted(error, command) });
      return;
    }
    this.client = client;
    this.code = new Code(client);
    void this.code.look();
    this.tell({ kind: "live" });
    this.began.fire(undefined);
  }

  private listen(client: LanguageClient): void {
    for (const [name, emitter] of Object.entries(this.emitters)) {
      client.onNotification(name, (params: unknown) => {
        if (name === "specthread/reconnected") this.tell({ kind: "live" });
        (emitter as vscode.EventEmitter<unknown>).fire(params);
      });
    }
    client.onNotification("specthread/stopping", () => {
      this.tell({ kind: "offline", why: "The daemon was stopped. It starts again when you ask for something." });
    });
    client.onDidChangeState(({ newState }) => {
      if (newState !== State.Stopped || this.client !== client) return;
      this.forget();
      this.tell({ kind: "offline", why: "The connection to the daemon ended. Connect begins it anew." });
    });
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.forget();
    try {
      if (client?.needsStop()) await client.dispose(2000);
    } catch (error) {
      this.log.warn(`The relay did not end well: ${String(error)}`);
    }
  }

  private forget(): void {
    this.client = undefined;
    this.code?.dispose();
    this.code = undefined;
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: SPECS,
      middleware: sparing(),
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
    const client = await this.connect();
    try {
      const result = await client.sendRequest<Result<M>>(method, params);
      this.tell({ kind: "live" });
      return result;
    } catch (error) {
      const refused = refusedFrom(error);
      // A client that was replaced meanwhile says nothing of the one that is there now.
      if (refused.isUnreachable && (this.client === client || !this.client)) this.tell({ kind: "offline", why: refused.message });
      throw refused;
    }
  }

  /** Begins one of the server's own commands, for what it does best itself. */
  async execute(command: string, argument: Record<string, string>): Promise<void> {
    const client = await this.connect();
    await client.sendRequest("workspace/executeCommand", { command, arguments: [argument] });
  }

  private tell(liveness: Liveness): void {
    const isSame = liveness.kind === this.last.kind && (liveness.kind !== "offline" || liveness.why === this.whyOffline);
    if (isSame) return;
    this.last = liveness;
    this.log.info(liveness.kind === "offline" ? `offline: ${liveness.why}` : liveness.kind);
    this.livenessChanged.fire(liveness);
  }

  dispose(): void {
    void this.stop();
    for (const emitter of Object.values(this.emitters)) emitter.dispose();
    this.livenessChanged.dispose();
    this.began.dispose();
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

/** Offers formatting for our own documents only, whatever else the server is told of. */
function formatting(client: LanguageClient): StaticFeature {
  return {
    fillClientCapabilities: () => undefined,
    preInitialize: (capabilities) => {
      delete capabilities.documentFormattingProvider;
      delete capabilities.documentRangeFormattingProvider;
    },
    initialize: () => {
      const given = { id: crypto.randomUUID(), registerOptions: { documentSelector: FORMATTED } };
      client.getFeature(DocumentFormattingRequest.method).register(given);
      client.getFeature(DocumentRangeFormattingRequest.method).register(given);
    },
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
