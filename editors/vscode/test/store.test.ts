import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventView } from "../../protocol";
import { Refused, type Daemon, type Method } from "../src/daemon";
import { Store } from "../src/store";
import { need, summary, whole } from "./examples";

function event(seq: number, spectask: string): EventView {
  return { seq, spectask, instance: "i", time: "", actor: "", kind: "", payload: {}, text: "" };
}

/** A daemon in memory that counts what it is asked. */
class Answers implements Daemon {
  readonly asked: string[] = [];
  spectasks = [summary({ id: "a" }), summary({ id: "b", state: "done" })];
  refuse: Record<string, Refused> = {};
  whenAsked: () => void = () => undefined;

  request(method: Method, params: object): Promise<never> {
    const { id = "", repository = "" } = params as { id?: string; repository?: string };
    this.whenAsked();
    this.asked.push(`${method.replace("specthread/", "")} ${id || repository}`.trim());
    const refused = this.refuse[`${method} ${id || repository}`];
    if (refused) return Promise.reject(refused);
    const answers: Partial<Record<Method, object>> = {
      "specthread/subscribe": { instance: "i", seq: 10, fresh: false },
      "specthread/list": { spectasks: this.spectasks },
      "specthread/show": whole({ ...this.spectasks.find((each) => each.id === id) }),
    };
    return Promise.resolve(answers[method] as never);
  }
}

let daemon: Answers;
let store: Store;
const changed = vi.fn();
const failed = vi.fn();
const settled = async (): Promise<void> => {
  await vi.advanceTimersByTimeAsync(200);
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  daemon = new Answers();
  store = new Store(daemon, () => ["/home/ada/hours"], changed, failed);
});
afterEach(() => {
  store.dispose();
  vi.useRealTimers();
});

describe("the store", () => {
  it("follows first and lists then, so that nothing falls in between; what ended is not asked for", async () => {
    await store.load();
    expect(daemon.asked).toEqual(["subscribe", "list /home/ada/hours", "show a"]);
    expect(changed).toHaveBeenCalledTimes(1);
  });

  it("shows a list only when it is whole", async () => {
    const seen: number[] = [];
    daemon.whenAsked = () => seen.push(store.spectasks.length);
    await store.load();
    expect([...seen, store.spectasks.length]).toEqual([0, 0, 0, 2]);
  });

  it("asks once for many events of one SpecTask", async () => {
    await store.load();
    daemon.asked.length = 0;
    for (let seq = 11; seq < 40; seq++) store.event(event(seq, "a"));
    await settled();
    expect(daemon.asked).toEqual(["show a"]);
  });

  it("passes over events it has heard of already", async () => {
    await store.load();
    daemon.asked.length = 0;
    store.event(event(10, "a"));
    await settled();
    expect(daemon.asked).toEqual([]);
  });

  it("takes in a new SpecTask of its folders, and leaves those of others alone", async () => {
    await store.load();
    store.event(event(11, "elsewhere"));
    daemon.spectasks = [...daemon.spectasks, summary({ id: "c" })];
    store.event(event(12, "c"));
    await settled();
    expect(store.spectasks.map((each) => each.id).sort()).toEqual(["a", "b", "c"]);
  });
});

describe("the store, when it is refused,", () => {
  it("shows the others when one cannot be shown", async () => {
    daemon.refuse["specthread/show a"] = new Refused("gone", "The repository is gone.");
    daemon.spectasks.push(summary({ id: "c" }));
    await store.load();
    expect(failed).toHaveBeenCalledTimes(1);
    expect([store.get("a")?.whole, store.get("c")?.whole?.id]).toEqual([undefined, "c"]);
  });

  it("keeps what it knew when nobody answers", async () => {
    await store.load();
    daemon.refuse["specthread/list /home/ada/hours"] = new Refused("offline", "The daemon was stopped.");
    await store.load();
    expect(store.spectasks).toHaveLength(2);
  });

  it("keeps what it knew of a folder whose list is refused, and shows the others", async () => {
    await store.load();
    daemon.refuse["specthread/list /home/ada/hours"] = new Refused("dubious-ownership", "Another user owns it.");
    await store.load();
    expect([store.spectasks.length, failed.mock.calls.length]).toEqual([2, 1]);
  });

  it("is not loaded as long as nobody answered", async () => {
    daemon.refuse["specthread/subscribe "] = new Refused("offline", "The daemon does not run.");
    await store.load();
    expect(store.loaded).toBe(false);
  });

  it("shows nothing for a folder that is in no repository", async () => {
    daemon.refuse["specthread/list /home/ada/hours"] = new Refused("not-a-repository", "It is in no git repository.");
    await store.load();
    expect([store.loaded, store.spectasks]).toEqual([true, []]);
  });
});

describe("the order of the store", () => {
  it("puts first what needs a person, then what changed last", async () => {
    daemon.spectasks = [
      summary({ id: "old", updated: "2026-01-01T00:00:00Z" }),
      summary({ id: "new", updated: "2026-01-03T00:00:00Z" }),
      summary({ id: "needy", updated: "2025-01-01T00:00:00Z", needs: [need({ kind: "run" })] }),
    ];
    await store.load();
    expect(store.spectasks.map((each) => each.id)).toEqual(["needy", "new", "old"]);
  });
});
