import { beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../src/connection";

/** The relay of this test: how it starts and what it answers. */
const relay = vi.hoisted(() => ({
  clients: [] as { stop: () => void; say: (method: string) => void }[],
  start: () => Promise.resolve(),
  answer: () => Promise.resolve({}),
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
      });
    }
    registerFeature(): void {
      return;
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

  it("refuses with the way on where no relay can be started", async () => {
    relay.start = () => Promise.reject(new Error("spawn specthread ENOENT"));
    await expect(connection.request("specthread/status", {})).rejects.toThrow(/is not installed here\. Install/);
    expect(began).not.toHaveBeenCalled();
  });
});
