import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import type { Container, ContainerInspectInfo } from "dockerode";

import type { RunningUnit, UnitExit, UnitRun } from "../executor.ts";
import { type Cause, judgeExit } from "../exit.ts";
import { writtenDirectories } from "../inside.ts";
import { type BoundedLog, logTail } from "../log.ts";
import { DeadlineError } from "../time-outs.ts";
import { overDisk } from "./disk.ts";
import { answer, type Engine, insist, statusOf } from "./engine.ts";
import { scratchFolder } from "./options.ts";
import { containerLog, LogCopy } from "./log-copy.ts";
import { oomKills, ranOutOfMemory, usageOf } from "./usage.ts";

/** Milliseconds between two looks at a unit: soon at first, so that short ones are seen too. */
const [FIRST_LOOK, LAST_LOOK] = [100, 2000];
/** A unit's disk space is looked at every so many looks. */
const DISK_LOOKS = 3;
/** Longest wait for an answer to a signal, and for one end, milliseconds; both are asked for again. */
const [KILL_MS, WAIT_MS] = [10_000, 60_000];
const MIB = 1024 * 1024;

/** What a container is watched for and with. */
export interface Watch {
  readonly engine: Pick<Engine, "docker" | "podman">;
  readonly container: Container;
  readonly unit: UnitRun;
  readonly log: BoundedLog;
  /** When it was started, milliseconds by the monotonic clock: a unit that was taken over has used up part of its time. */
  readonly startedAt: number;
  /** From when on the engine's log is not in ours yet, milliseconds since 1970; 0 from its beginning. */
  readonly logSince: number;
  readonly diskMiB: number;
  /** Bound on its /tmp, MiB; undefined if that is in memory. */
  readonly scratchMiB: number | undefined;
}

/** A unit's container, from its start until it is removed. */
export class RunningContainer implements RunningUnit {
  readonly id: string;
  readonly exited: Promise<UnitExit>;
  readonly #watch: Watch;
  readonly #timers = new Set<NodeJS.Timeout>();
  #ended = false;
  #draining = false;
  #graceOver = false;
  #sentKill = false;
  #cause: Cause | undefined;
  #cpuSeconds = 0;
  #peakBytes = 0;
  #oomKills = 0;
  #overDisk: string | undefined;
  #copy: LogCopy | undefined;
  readonly #detached = new AbortController();
  #pid = 0;

  constructor(watch: Watch) {
    this.#watch = watch;
    this.id = `container ${watch.container.id.slice(0, 12)}`;
    const { unitSeconds, graceSeconds } = watch.unit.spec.timeouts;
    this.#after(unitSeconds - (performance.now() - watch.startedAt) / 1000, () => {
      this.#cause ??= "timeout";
      this.#stop(graceSeconds);
    });
    void this.#lookNowAndThen();
    this.exited = this.#follow();
  }

  async drain(graceSeconds: number): Promise<UnitExit> {
    this.#stop(graceSeconds);
    return this.exited;
  }

  async kill(): Promise<UnitExit> {
    if (!this.#ended) {
      this.#cause = "kill";
      void this.#signal("SIGKILL");
    }
    return this.exited;
  }

  /** Gives up looking after it, though it goes on: its agent leaves. */
  detach(): void {
    this.#detached.abort();
    this.#copy?.stop();
  }

  cpuSeconds(): number {
    return this.#cpuSeconds;
  }

  logTail(maxBytes: number): Promise<string> {
    return logTail(this.#watch.unit.folder.log, maxBytes);
  }

  #stop(graceSeconds: number): void {
    if (this.#ended || this.#draining) return;
    this.#draining = true;
    void this.#signal("SIGTERM");
    this.#after(graceSeconds, () => {
      this.#graceOver = true;
      void this.#signal("SIGKILL");
    });
  }

  #after(seconds: number, action: () => void): void {
    // Node's timers end at 2^31 ms; longer than that no unit may run.
    this.#timers.add(setTimeout(action, Math.min(Math.max(0, seconds * 1000), 2 ** 31 - 1)));
  }

  /** Sends it, however often the engine has to be asked: a unit that was to be killed must not live on. */
  async #signal(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (signal === "SIGKILL") this.#sentKill = true;
    while (!this.#ended && !this.#detached.signal.aborted) {
      try {
        await answer(() => this.#watch.container.kill({ signal }), KILL_MS);
        return;
      } catch (error) {
        // 404 and 409: it is gone, or does not run.
        if ([404, 409].includes(statusOf(error) ?? 0)) return;
        await sleep(1000, undefined, { ref: false });
      }
    }
  }

  async #lookNowAndThen(): Promise<void> {
    for (let look = 1, pause = FIRST_LOOK; !this.#ended; look++, pause = Math.min(LAST_LOOK, pause * 2)) {
      await this.#look(look % DISK_LOOKS === 0).catch(() => undefined);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          resolve();
        }, pause);
        timer.unref();
        this.#timers.add(timer);
      });
    }
  }

  async #look(disk: boolean): Promise<void> {
    const { container, unit, diskMiB, scratchMiB } = this.#watch;
    const stats = await answer(() => container.stats({ stream: false, "one-shot": true }));
    const usage = usageOf(stats);
    if (usage) {
      this.#cpuSeconds = Math.max(this.#cpuSeconds, usage.cpuSeconds);
      this.#peakBytes = Math.max(this.#peakBytes, usage.memoryBytes);
    }
    if (this.#pid === 0) this.#pid = (await answer(() => container.inspect())).State.Pid;
    if (this.#pid > 0) this.#oomKills = Math.max(this.#oomKills, await oomKills(this.#pid));
    if (!disk || this.#ended) return;
    const over = await overDisk(writtenDirectories(unit.folder, unit.spec), diskMiB);
    const overScratch = scratchMiB === undefined ? undefined : await overDisk([scratchFolder(unit.folder)], scratchMiB);
    if (over === undefined && overScratch === undefined) return;
    this.#overDisk = over ?? overScratch;
    this.#cause ??= over === undefined ? "storage" : "disk";
    await this.#signal("SIGKILL");
  }

  async #follow(): Promise<UnitExit> {
    const { unit, log, container, engine } = this.#watch;
    const copy = (this.#copy = new LogCopy(containerLog(container), log, this.#watch.logSince));
    const state = await this.#waitForEnd();
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await copy.finish();
    const code = state?.ExitCode ?? 128 + constants.signals.SIGKILL;
    const memory = ranOutOfMemory({
      tells: !engine.podman,
      told: state !== undefined && (state.OOMKilled || (await this.#podmanSaysOom())),
      kills: this.#oomKills,
      code,
      killedByUs: this.#sentKill,
      peakBytes: this.#peakBytes,
      limitBytes: unit.spec.resources.memoryMiB * MIB,
    });
    const judged = await judgeExit(unit, {
      code,
      cause: this.#cause ?? (memory ? "memory" : undefined),
      graceOver: this.#graceOver,
      cpuSeconds: this.#cpuSeconds,
      why: this.#cause === "disk" || this.#cause === "storage" ? this.#overDisk : undefined,
    });
    const exit =
      state === undefined && judged.reason === "failed"
        ? { ...judged, detail: "its container was removed by somebody else" }
        : judged;
    const lost = log.lost > 0 ? `; ${log.lost} bytes of its log could not be written` : "";
    await log.append(`--- ${exit.reason}: ${exit.detail}; ${exit.cpuSeconds.toFixed(2)} s of CPU${lost}\n`);
    await log.close();
    // One that stays behind is harmless: it has ended, and is removed before the unit starts again.
    await insist(() => container.remove({ force: true, v: true }), 5000).catch(() => undefined);
    await rm(scratchFolder(unit.folder), { recursive: true, force: true }).catch(() => undefined);
    return exit;
  }

  /** @returns How it has ended; undefined if its container no longer exists. */
  async #waitForEnd(): Promise<ContainerInspectInfo["State"] | undefined> {
    const { container } = this.#watch;
    for (; ; await sleep(300, undefined, { ref: !this.#detached.signal.aborted })) {
      // Nobody waits for the answer: the agent that began to wait has left.
      if (this.#detached.signal.aborted) return new Promise(() => undefined);
      try {
        // An engine that was restarted in between may never answer this one.
        await answer(
          (signal) => container.wait({ abortSignal: AbortSignal.any([signal, this.#detached.signal]) }),
          WAIT_MS,
        ).catch((error: unknown) => {
          if (!(error instanceof DeadlineError)) throw error;
        });
        const { State } = await answer(() => container.inspect());
        if (!State.Running) return State;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        // The engine does not answer, or not well: that says nothing about the unit.
      }
    }
  }

  /** Podman's own API knows what its Docker-compatible one does not tell. */
  async #podmanSaysOom(): Promise<boolean> {
    const { engine, container } = this.#watch;
    if (!engine.podman) return false;
    const asked = new Promise<boolean>((resolve) => {
      engine.docker.modem.dial(
        { path: `/v4.0.0/libpod/containers/${container.id}/json`, method: "GET", statusCodes: { 200: true } },
        (_error: unknown, said: unknown) => {
          resolve((said as { State?: { OOMKilled?: boolean } } | null)?.State?.OOMKilled === true);
        },
      );
    });
    return answer(() => asked, KILL_MS).catch(() => false);
  }
}
