import assert from "node:assert/strict";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { pino } from "pino";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { agentConfig } from "@verai/agent/config";
import { PeerReputation } from "@verai/agent/replication/reputation";
import { Drains } from "@verai/agent/node/drains";
import { InputMonitor } from "@verai/agent/idle/input";
import { keeperConfig } from "@verai/keepers/config";
import { Stagger } from "@verai/keepers/stagger";
import { runLoop } from "@verai/process/loop";
import { Heartbeat } from "@verai/process/heartbeat";
import { MAX_TIMER_SECONDS, pause, timeoutSignal } from "@verai/system/clock";
import { DataDirectory } from "@verai/system/data-directory";
import type { FaultCase, FaultKind } from "@verai/devnet/fault-case";

const quiet = pino({ level: "silent" });
const HOUR_MS = 3_600_000;

/** Ways in which the clock of a machine is set while processes run. */
const JUMPS: readonly [string, number][] = [
  ["set back an hour", -HOUR_MS],
  ["set forward an hour", HOUR_MS],
  ["set back to 1970", -1.79e12],
  ["set forward ten years", 10 * 365 * 24 * HOUR_MS],
];

/**
 * Sets this process's date while something runs. The monotonic clock goes on, as it does when somebody sets a machine's;
 * other parts of the process see the same date.
 */
async function withClock<T>(work: (set: (byMs: number) => void) => Promise<T>): Promise<T> {
  const real = Date.now;
  let by = 0;
  Date.now = () => real() + by;
  try {
    return await work((ms) => (by = ms));
  } finally {
    Date.now = real;
  }
}

/** What is measured across a jump: prepared before it, looked at after it. */
const SPANS: readonly [string, () => Promise<() => Promise<void>>][] = [
  [
    "a keeper's turn",
    async () => {
      const stagger = new Stagger(`0x${"11".repeat(20)}`, 6000);
      const before = stagger.left("settle 7");
      return async () => {
        const after = stagger.left("settle 7");
        assert.ok(after <= before && after > before - 2000, `${String(before)} ms were left, and now ${String(after)}`);
      };
    },
  ],
  [
    "the health of a process that works",
    async () => {
      const heartbeat = new Heartbeat(60_000);
      heartbeat.expect("agent");
      return async () => {
        const [beat] = heartbeat.beats();
        assert.ok(heartbeat.healthy && beat && beat.ageSeconds >= 0 && beat.ageSeconds < 5, JSON.stringify(beat));
      };
    },
  ],
  [
    "the health of a process that is stuck",
    async () => {
      const heartbeat = new Heartbeat(20);
      heartbeat.expect("agent");
      return async () => {
        await delay(30);
        assert.equal(heartbeat.healthy, false);
      };
    },
  ],
  [
    "the doubts about a peer",
    async () => {
      const reputation = new PeerReputation();
      reputation.note(7, "unreached");
      return async () => {
        assert.equal(reputation.of(7), "unreached");
      };
    },
  ],
  [
    "a drain that is on its way",
    async () => {
      const drains = new Drains();
      drains.begin();
      return async () => {
        assert.equal(drains.isOwners({ status: "active" }), false);
        assert.equal(drains.isOwners({ status: "draining" }), false, "it is its own");
      };
    },
  ],
  [
    "a pause of a loop",
    async () => {
      const began = performance.now();
      const waiting = pause(40);
      return async () => {
        await waiting;
        const took = performance.now() - began;
        assert.ok(took >= 39 && took < 2000, `${String(took)} ms`);
      };
    },
  ],
];

function spanCase([what, prepare]: (typeof SPANS)[number], [how, byMs]: (typeof JUMPS)[number]): FaultCase {
  return {
    name: `${what} while the clock is ${how}`,
    run: () =>
      withClock(async (set) => {
        const look = await prepare();
        set(byMs);
        await look();
      }),
  };
}

const inputCases = JUMPS.map(([how, byMs]): FaultCase => ({
  name: `an owner who is away while the clock is ${how}`,
  run: ({ directory }) =>
    withClock(async (set) => {
      await mkdir(join(directory, "pts"));
      const terminal = join(directory, "pts", "0");
      await writeFile(terminal, "");
      const typed = new Date(Date.now() - 60_000);
      await utimes(terminal, typed, typed);
      const monitor = new InputMonitor(directory);
      assert.equal(Math.round((await monitor.secondsSince()) / 10), 6);
      set(byMs);
      assert.equal(Math.round((await monitor.secondsSince()) / 10), 6);
      const now = new Date(Date.now());
      await utimes(terminal, now, now);
      assert.ok((await monitor.secondsSince()) < 1, "who comes back is seen at once");
    }),
}));

const LOCAL = { network: { rpcUrl: "http://127.0.0.1:1", chainId: LOCAL_CHAIN_ID }, dataDir: "data" };
const NODE = { class: "cpu/eu", capacity: 1, ask: "1", powerThreshold: 1, powerMax: 1, energySource: "grid" };
const agent = (more: object) => agentConfig.safeParse({ ...LOCAL, operator: { testAccount: 1 }, node: NODE, ...more });
const keeper = (more: object) => keeperConfig.safeParse({ ...LOCAL, ...more });
const LONG = 30 * 86_400;

const settings: readonly [string, () => ReturnType<typeof agent> | ReturnType<typeof keeper>, string][] = [
  ["an agent's interval", () => agent({ interval: LONG }), "interval"],
  ["an agent's grace", () => agent({ grace: LONG }), "grace"],
  ["the time for a spec", () => agent({ specTimeout: 5_000_000 }), "specTimeout"],
  ["the time between samples", () => agent({ telemetry: { sampleEvery: LONG } }), "telemetry.sampleEvery"],
  ["the time between spot checks", () => agent({ spotCheck: LONG }), "spotCheck"],
  ["a keeper's interval", () => keeper({ interval: LONG }), "interval"],
  ["a keeper's stagger", () => keeper({ allocation: { staggerSeconds: LONG } }), "allocation.staggerSeconds"],
  ["the time until a transaction is stuck", () => keeper({ fees: { stuckAfter: LONG } }), "fees.stuckAfter"],
];

/** Dates that are set, spans that no timer can wait. */
export const clocks: FaultKind = {
  name: "clocks",
  guarantee:
    "a date that is set changes no span; an interval longer than a timer can wait neither spins nor passes a check",
  cases: [
    ...SPANS.flatMap((span) => JUMPS.map((jump) => spanCase(span, jump))),
    ...inputCases,
    ...settings.map(([what, parse, path]): FaultCase => ({
      name: `${what} longer than a timer can wait`,
      run: async () => {
        const { success, error } = parse();
        assert.equal(success, false);
        const issue = error?.issues.find((each) => each.path.join(".") === path);
        const [, most] = /has to be a number of seconds from [\d.]+ to (\d+)/.exec(issue?.message ?? "") ?? [];
        assert.ok(Number(most) <= MAX_TIMER_SECONDS, issue?.message);
      },
    })),
    ...[2 ** 31, LONG * 1000, Infinity].map((intervalMs): FaultCase => ({
      name: `a loop with a pause of ${String(intervalMs)} ms`,
      run: async () => {
        const stop = new AbortController();
        const heartbeat = new Heartbeat(Infinity);
        let cycles = 0;
        const cycle = async (): Promise<boolean> => {
          cycles += 1;
          return false;
        };
        const options = {
          name: "x",
          intervalMs,
          maxBackoffMs: 1,
          signal: stop.signal,
          logger: quiet,
          heartbeat,
          cycle,
        };
        const running = runLoop(options);
        await delay(60);
        stop.abort();
        await running;
        assert.equal(cycles, 1, "it does not spin");
      },
    })),
    {
      name: "a loop that has failed for days, so that its pause has doubled beyond all bounds",
      run: async () => {
        const stop = new AbortController();
        const heartbeat = new Heartbeat(Infinity);
        let cycles = 0;
        const cycle = async (): Promise<boolean> => {
          cycles += 1;
          if (cycles > 1100) stop.abort();
          throw new Error("no chain");
        };
        const options = {
          name: "x",
          intervalMs: 1e-9,
          maxBackoffMs: 0,
          signal: stop.signal,
          logger: quiet,
          heartbeat,
          cycle,
        };
        await runLoop(options);
        assert.equal(cycles, 1101);
      },
    },
    {
      name: "a time-out longer than a timer can wait",
      run: async () => {
        const signals = [2 ** 31, 5e9, Infinity].map(timeoutSignal);
        await delay(30);
        assert.deepEqual(
          signals.map(({ aborted }) => aborted),
          [false, false, false],
        );
      },
    },
    {
      name: "a lock that is held while the clock is set back to 1970",
      run: ({ directory }) =>
        withClock(async (set) => {
          const lock = await DataDirectory.lock(directory);
          set(-1.79e12);
          await assert.rejects(DataDirectory.lock(directory), { code: "DIRECTORY_IN_USE" });
          await lock.release();
          await (await DataDirectory.lock(directory)).release();
        }),
    },
  ],
};
