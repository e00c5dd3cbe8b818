import { beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../src/connection";

/** The relay of this test: how it starts and what it answers. */
const relay = vi.hoisted(() => ({
  clients: [] as { stop: () => void; say: (method: string) => void; offer: (capabilities: object) => Record<string, unknown> }[],
  start: () => Promise.resolve(),
  answer: () => Promise.resolve({}),
  codes: [] as string[],
}));

vi.mock("../src/code", () => ({
  Code: class {
    look(): void {
      relay.codes.push("began");
    }
    dispose(): void {
      relay.codes.push("ended");
    }
  },
}));

vi.mock("vscode", () => ({
  EventEmitter: class {
    private readonly listeners: ((value: unknown) => void)[] = [];
    readonly event = (listener: (value: unknown) => void) => this.listeners.push(listener);
    fire(value: unknown): void {
      for (const each of this.listeners) each(value);
    }
  },
  workspace: { getConfiguration: () => ({ get: () => "specthread" }) },
}));

vi.mock("vscode-languageclient/node", () => ({
  State: { Stopped: 1, Running: 2 },
  CloseAction: {},
  ErrorAction: {},
  DocumentFormattingRequest: { method: "textDocument/formatting" },
  DocumentRangeFormattingRequest: { method: "textDocument/rangeFormatting" },
  LanguageClient: class {
    private readonly heard = new Map<string, ((params: unknown) => void)[]>();
    private changed: (change: { newState: number }) => void = () => undefined;
    constructor() {
      relay.clients.push({
        stop: () => {
          this.changed({ newState: 1 });
        },
        say: (method) => {
          for (const each of this.heard.get(method) ?? []) each({});
        },
        offer: (capabilities) => {
          for (const each of this.features) each.preInitialize?.(capabilities);
          for (const each of this.features) each.initialize(capabilities);
          return { ...capabilities, ...Object.fromEntries(this.registered) };
        },
      });
    }
    private readonly features: { preInitialize?: (capabilities: object) => void; initialize: (capabilities: object) => void }[] = [];
    private readonly registered = new Map<string, unknown>();
    registerFeature(feature: (typeof this.features)[number]): void {
      this.features.push(feature);
    }
    getFeature(method: string): object {
      return {
        register: ({ registerOptions }: { registerOptions: { documentSelector: { pattern: string }[] } }) =>
          this.registered.set(
            method,
            registerOptions.documentSelector.map((each) => each.pattern),
          ),
      };
    }
    onNotification(method: string, listener: (params: unknown) => void): void {
      this.heard.set(method, [...(this.heard.get(method) ?? []), listener]);
    }
    onDidChangeState(listener: (change: { newState: number }) => void): void {
      this.changed = listener;
    }
    needsStop(): boolean {
      return false;
    }
    start(): Promise<void> {
      return relay.start();
    }
    sendRequest(): Promise<unknown> {
      return relay.answer();
    }
  },
}));

function failing(code: number, message: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(message), { code }));
}

let connection: Connection;
const began = vi.fn();

beforeEach(() => {
  relay.clients.length = 0;
  relay.codes.length = 0;
  relay.start = () => Promise.resolve();
  relay.answer = () => Promise.resolve({});
  began.mockClear();
  connection = new Connection({ info: vi.fn(), warn: vi.fn() } as never);
  connection.onDidBegin(began);
});

describe("the connection", () => {
  it("says each time it begins, so that everything is asked for anew", async () => {
    await connection.start();
    await connection.start();
    expect([connection.liveness.kind, began.mock.calls.length]).toEqual(["live", 2]);
  });

  it.each([-32802, -32803])("is offline, and says so, when the relay answers alone with %i", async (code) => {
    await connection.start();
    relay.answer = failing(code, "The Specthread daemon does not run.");
    await expect(connection.request("specthread/status", {})).rejects.toMatchObject({ code: "offline" });
    expect(connection.liveness).toMatchObject({ kind: "offline" });
  });

  it("is live again when the relay has reached a daemon", async () => {
    await connection.start();
    relay.clients[0]?.say("specthread/stopping");
    expect(connection.liveness.kind).toBe("offline");
    relay.clients[0]?.say("specthread/reconnected");
    expect(connection.liveness.kind).toBe("live");
  });

  it("begins anew for the next request when its relay has ended", async () => {
    await connection.start();
    relay.clients[0]?.stop();
    expect(connection.liveness.kind).toBe("offline");
    await connection.request("specthread/status", {});
    expect([relay.clients.length, began.mock.calls.length, connection.liveness.kind]).toEqual([2, 2, "live"]);
  });

  it("offers formatting for our own documents only", async () => {
    await connection.start();
    const ours = ["**/.specs/**/{requirements,spec,bugfix,design,plan,tasks}.md"];
    expect(
      relay.clients[0]?.offer({ documentFormattingProvider: true, documentRangeFormattingProvider: true, hoverProvider: true }),
    ).toEqual({
      hoverProvider: true,
      "textDocument/formatting": ours,
      "textDocument/rangeFormatting": ours,
    });
  });

  it("tells its client of code as long as that runs", async () => {
    await connection.start();
    await connection.start();
    relay.clients[1]?.stop();
    expect(relay.codes).toEqual(["began", "ended", "began", "ended"]);
  });

  it("refuses with the way on where no relay can be started", async () => {
    relay.start = () => Promise.reject(new Error("spawn specthread ENOENT"));
    await expect(connection.request("specthread/status", {})).rejects.toThrow(/is not installed here\. Install/);
    expect(began).not.toHaveBeenCalled();
  });
});
