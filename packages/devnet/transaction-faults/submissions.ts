import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Transaction } from "ethers";

import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { Bench, type Program } from "../programs.ts";
import { openMarket } from "../market.ts";
import type { FaultCase } from "../fault-case.ts";
import { must } from "./bench.ts";
import { FaultyRpc, only } from "./faulty-rpc.ts";

const SPEC = {
  version: 1,
  name: "submitted once",
  trainer: "digits",
  resources: { cpus: 1, memoryMiB: 128 },
  checkpoint: { intervalSeconds: 3 },
  outputs: ["model.bin"],
  timeouts: { unitSeconds: 60 },
};

const TERMS = {
  units: 2,
  maxPrice: "0.01",
  classes: { "cpu/eu": "0" },
  checkpointInterval: 60,
  replicas: 0,
  within: 3600,
};

type Market = Awaited<ReturnType<typeof openMarket>>;

let market: Promise<Market> | undefined;
/** Each case has a developer of its own. */
let account = 10;

/** Ends the market that the cases share. */
export async function closeMarket(): Promise<void> {
  const open = await market;
  market = undefined;
  await open?.close();
}

/** A developer whose endpoint can be watched, and who can be killed. */
class Developer {
  readonly rpc: FaultyRpc;
  readonly dataDir: string;
  readonly address: string;
  readonly #market: Market;
  readonly #bench: Bench;
  readonly #files: { readonly config: string; readonly spec: string; readonly terms: string };

  private constructor(
    parts: { market: Market; bench: Bench; rpc: FaultyRpc; address: string },
    files: { config: string; spec: string; terms: string },
  ) {
    this.#market = parts.market;
    this.#bench = parts.bench;
    this.rpc = parts.rpc;
    this.address = parts.address;
    this.dataDir = join(parts.bench.folder, "developer");
    this.#files = files;
  }

  static async open(): Promise<Developer> {
    market ??= openMarket();
    const open = await market;
    const bench = await Bench.open(open);
    const rpc = new FaultyRpc(open.url);
    const testAccount = account++;
    const config = await bench.write("developer.json", {
      network: { ...bench.network, rpcUrl: await rpc.start() },
      fees: { maxFeePerGas: "100" },
      key: { testAccount },
      dataDir: join(bench.folder, "developer"),
      store: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    });
    const [spec, terms] = [await bench.write("spec.json", SPEC), await bench.write("terms.json", TERMS)];
    const { address } = await openSigner({ testAccount }, LOCAL_CHAIN_ID);
    return new Developer({ market: open, bench, rpc, address }, { config, spec, terms });
  }

  /** Runs the developer's client as a restart policy would. */
  train(...more: readonly string[]): Program {
    const { config, spec, terms } = this.#files;
    const args = ["developer/main.ts", "train", "--config", config, "--spec", spec, "--terms", terms];
    return this.#bench.start([...args, ...more]);
  }

  /** Runs it until it follows its task, and ends it. @returns The task's id. */
  async trainToTheEnd(...more: readonly string[]): Promise<number> {
    const program = this.train(...more);
    const submitted = /"task":(\d+)[^\n]*(task submitted|submitted already)/;
    for (let i = 0; i < 600 && !submitted.test(program.said()) && program.child.exitCode === null; i++) await delay(50);
    program.child.kill("SIGKILL");
    await program.exit;
    const [, id] = submitted.exec(program.said()) ?? [];
    must(id !== undefined, `no task came of it: ${program.said().slice(-300)}`);
    return Number(id);
  }

  /** Runs it and kills it at a call of its submission: `before` or after the real node has got it. */
  async killAt(method: RegExp, when: "before" | "after"): Promise<void> {
    const registry = await this.#market.contracts.tasks.getAddress();
    const program = this.train();
    let submitting = false;
    let hit = false;
    this.rpc.misbehave = async (call, forward) => {
      if (call.method === "eth_sendRawTransaction") {
        submitting ||= Transaction.from(call.params[0] as string).to === registry;
      }
      if (!submitting || !method.test(call.method)) return forward();
      hit = true;
      const answer = when === "after" ? await forward() : undefined;
      program.child.kill("SIGKILL");
      return answer ?? { error: { code: -32603, message: "killed" } };
    };
    await program.exit;
    this.rpc.heal();
    must(hit, `it was never killed: ${program.said().slice(-300)}`);
  }

  /** Tasks of this developer on the chain. */
  async tasks(): Promise<number[]> {
    const { tasks, lens } = this.#market.contracts;
    const page = await lens.taskPage(1, await tasks.taskCount());
    return page.filter(({ owner }) => owner === this.address).map(({ id }) => Number(id));
  }

  /** Fails unless there is one task, and the developer got it. */
  async mustHaveOne(task: number): Promise<void> {
    const own = await this.tasks();
    must(own.length === 1 && own[0] === task, `tasks ${own.join(", ")} were paid for, and ${String(task)} is followed`);
  }

  /** The file that remembers the submission. */
  async record(): Promise<string> {
    const [name = ""] = await readdir(join(this.dataDir, "submissions"));
    return join(this.dataDir, "submissions", name);
  }

  async automine(on: boolean): Promise<void> {
    await this.#market.connection.provider.request({ method: "evm_setAutomine", params: [on] });
    if (on) await this.#market.connection.provider.request({ method: "evm_mine", params: [] });
  }

  async close(): Promise<void> {
    await this.automine(true);
    await this.rpc.stop();
    await this.#bench.close();
  }
}

function killed(name: string, run: (developer: Developer) => Promise<void>): FaultCase {
  return {
    name: `developer train ${name}`,
    slow: true,
    timeoutMs: 120_000,
    run: async () => {
      const developer = await Developer.open();
      try {
        await run(developer);
      } finally {
        await developer.close();
      }
    },
  };
}

const SEND = /^eth_sendRawTransaction$/;

/** Submissions whose process is killed at some line and run again: they are paid for once. */
export const submissionFaults: readonly FaultCase[] = [
  killed("killed between signing and sending", async (developer) => {
    await developer.killAt(SEND, "before");
    must((await developer.tasks()).length === 0, "it was sent");
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("killed when the transaction has gone out", async (developer) => {
    await developer.killAt(SEND, "after");
    must((await developer.tasks()).length === 1, "it was not sent");
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("killed twice in a row when the transaction has gone out", async (developer) => {
    await developer.killAt(SEND, "before");
    await developer.killAt(SEND, "after");
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("killed when it has its receipt, before it notes the task", async (developer) => {
    await developer.killAt(/^eth_getTransactionReceipt$/, "after");
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("run again once the task is submitted, and again under another name", async (developer) => {
    const first = await developer.trainToTheEnd();
    must((await developer.trainToTheEnd()) === first, "another task was followed");
    await developer.mustHaveOne(first);
    const second = await developer.trainToTheEnd("--submission", "second");
    must(second !== first && (await developer.tasks()).length === 2, "it cannot be submitted once more on purpose");
    must((await developer.trainToTheEnd("--submission", "second")) === second, "the second was paid for again");
  }),
  killed("killed when the transaction has gone out, its journal lost", async (developer) => {
    await developer.killAt(SEND, "after");
    await rm(join(developer.dataDir, "journals"), { recursive: true });
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("killed when the transaction has gone out, its record cut in half", async (developer) => {
    await developer.killAt(SEND, "after");
    const file = await developer.record();
    const text = await readFile(file, "utf8");
    await writeFile(file, text.slice(0, text.length / 2));
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("killed when the transaction has gone out, and receipts are late at the next start", async (developer) => {
    await developer.killAt(SEND, "after");
    developer.rpc.misbehave = only(/^eth_getTransactionReceipt$/, () => ({ result: null }), 8);
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
  killed("killed while its transaction waits in the pool", async (developer) => {
    // What the faucet gives is to be mined, the submission is not.
    const first = developer.train();
    let waits = false;
    developer.rpc.misbehave = async (call, forward) => {
      if (SEND.test(call.method) && Transaction.from(call.params[0] as string).data.length > 200) {
        await developer.automine(false);
        waits = true;
      }
      return forward();
    };
    for (let i = 0; i < 600 && !waits; i++) await delay(50);
    await delay(200);
    first.child.kill("SIGKILL");
    await first.exit;
    developer.rpc.heal();
    must(waits, `nothing was sent: ${first.said().slice(-300)}`);
    const again = developer.trainToTheEnd();
    await delay(4000);
    await developer.automine(true);
    await developer.mustHaveOne(await again);
  }),
  killed("told to stop while its transaction is stuck", async (developer) => {
    const program = developer.train();
    let waits = false;
    developer.rpc.misbehave = async (call, forward) => {
      if (SEND.test(call.method) && Transaction.from(call.params[0] as string).data.length > 200) {
        await developer.automine(false);
        waits = true;
      }
      return forward();
    };
    for (let i = 0; i < 600 && !waits; i++) await delay(50);
    must(waits, `nothing was sent: ${program.said().slice(-300)}`);
    await delay(200);
    const started = performance.now();
    program.child.kill("SIGTERM");
    const code = await program.exit;
    must(performance.now() - started < 15_000, "it waited behind the stuck one");
    must(code === 75, `it ended with ${String(code)}: ${program.said().slice(-300)}`);
    must(/0x[0-9a-f]{64}/.test(program.said()), "the hash is missing");
    developer.rpc.heal();
    await developer.automine(true);
    await developer.mustHaveOne(await developer.trainToTheEnd());
  }),
];
