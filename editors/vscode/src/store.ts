// The SpecTasks of this window as they are now. Events only say what to ask for anew, so nothing is kept that the daemon did not say.

import type { EventView, SpecTaskSummary, SpecTaskView } from "../../protocol";
import { Refused, type Daemon } from "./daemon";

/** SpecTask states in which nothing goes on any more. */
export const ENDED: ReadonlySet<string> = new Set(["done", "cancelled", "failed", "archived"]);
const GATHER_MS = 150;

export type SpecTask = SpecTaskSummary & { whole?: SpecTaskView };

/** What the window shows; `changed` is called after every change. */
export class Store {
  private readonly known = new Map<string, SpecTask>();
  private readonly stale = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: Promise<void> = Promise.resolve();
  private seq = 0;
  private isLoaded = false;

  constructor(
    private readonly daemon: Daemon,
    private readonly folders: () => readonly string[],
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Whether the daemon has answered once. */
  get loaded(): boolean {
    return this.isLoaded;
  }

  /** The SpecTasks: those that need a human first, then the last changed. */
  get spectasks(): readonly SpecTask[] {
    const all = [...this.known.values()];
    all.sort((a, b) => b.updated.localeCompare(a.updated));
    return all.sort((a, b) => Number(b.needs.length > 0) - Number(a.needs.length > 0));
  }

  get(id: string): SpecTask | undefined {
    return this.known.get(id);
  }

  /** Asks for everything anew and follows what happens from here on. */
  load(): Promise<void> {
    return this.inTurn(async () => {
      const followed = await this.daemon.request("specthread/subscribe", {});
      this.seq = followed.seq;
      const { found, isWhole } = await this.listedAnywhere();
      const fresh: SpecTask[] = [];
      for (const summary of found) fresh.push(ENDED.has(summary.state) ? summary : await this.asShown(summary));
      // Taken over at once, so that nobody sees half of it. Where a folder's list is missing, what was known of it stays.
      if (isWhole) this.known.clear();
      for (const each of fresh) this.known.set(each.id, each);
      this.isLoaded = true;
    });
  }

  /** A SpecTask that cannot be shown stays as it was known; the others are shown. */
  private async asShown(summary: SpecTaskSummary): Promise<SpecTask> {
    try {
      const whole = await this.daemon.request("specthread/show", { id: summary.id });
      return { ...whole, whole };
    } catch (error) {
      this.failed(error);
      return this.known.get(summary.id) ?? summary;
    }
  }

  /** Returns the SpecTasks of every folder, and whether every folder's list could be had. */
  private async listedAnywhere(): Promise<{ found: SpecTaskSummary[]; isWhole: boolean }> {
    const found: SpecTaskSummary[] = [];
    let isWhole = true;
    for (const repository of this.folders().length ? this.folders() : [""]) {
      try {
        found.push(...(await this.listed(repository)));
      } catch (error) {
        if (!(error instanceof Refused) || error.isUnreachable) throw error;
        this.failed(error);
        isWhole = false;
      }
    }
    return { found, isWhole };
  }

  /** A folder outside every repository has no SpecTasks; that is no failure. */
  private async listed(repository: string): Promise<SpecTaskSummary[]> {
    try {
      return (await this.daemon.request("specthread/list", { repository })).spectasks;
    } catch (error) {
      if (error instanceof Refused && error.code === "not-a-repository") return [];
      throw error;
    }
  }

  /** Takes note of an event; the SpecTask it belongs to is asked for a moment later, once for many events. */
  event(event: EventView): void {
    if (event.seq <= this.seq) return;
    this.seq = event.seq;
    this.stale.add(event.spectask);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.refresh();
    }, GATHER_MS);
  }

  private refresh(): Promise<void> {
    return this.inTurn(async () => {
      const ids = [...this.stale];
      this.stale.clear();
      for (const id of ids) {
        if (this.known.has(id) || (await this.belongs(id))) await this.refetch(id);
      }
    });
  }

  private async belongs(id: string): Promise<boolean> {
    return (await this.listedAnywhere()).found.some((each) => each.id === id);
  }

  /** Returns everything about a SpecTask, asked for now where it was not needed before. */
  async whole(id: string): Promise<SpecTaskView> {
    const known = this.known.get(id)?.whole;
    return known ?? (await this.fetch(id));
  }

  /** Asks for everything about a SpecTask anew. */
  async fetch(id: string): Promise<SpecTaskView> {
    const whole = await this.daemon.request("specthread/show", { id });
    this.known.set(whole.id, { ...whole, whole });
    return whole;
  }

  private async refetch(id: string): Promise<void> {
    try {
      await this.fetch(id);
    } catch (error) {
      this.failed(error);
    }
  }

  /** One conversation with the daemon at a time: answers cannot overtake each other. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    this.asking = this.asking.then(work).then(this.changed, this.failed);
    return this.asking;
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
