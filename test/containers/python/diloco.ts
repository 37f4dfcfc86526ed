import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type Docker from "dockerode";

import { TestNetwork, PATIENT } from "@verai/devnet/network";
import type { ParticipantNode } from "@verai/devnet/participants";
import { answer } from "@verai/executor/container/engine";
import { LABELS } from "@verai/executor/container/options";

/** Nodes, and units of the task: one each. */
export const UNITS = 4;
/** Rounds of the training, and local steps of each. */
export const [ROUNDS, EVERY] = [30, 20];
/** Units that a round needs, and how long it waits for the others, seconds. */
export const QUORUM = 2;
const GRACE_SECONDS = 2;
/** Pause after each step, milliseconds: what makes a round last, as a larger model would. */
const PACE_MS = 150;
/** Account of the developer. */
const ACCOUNT = 16;

const node = (name: string, ownerAccount: number, operatorAccount: number): ParticipantNode => ({
  ...{ name, class: "cpu/eu", capacity: 1, ask: "0.010", energySource: "wind" },
  ...{ ownerAccount, operatorAccount },
});
const NODES = [node("ann", 10, 6), node("ben", 11, 7), node("cid", 12, 8), node("dot", 13, 9)];

/** What examples/diloco.py leaves. */
export interface Result {
  readonly rounds: number;
  readonly accuracy: number;
  /** Of the weights. */
  readonly sha256: string;
}

/** What came out of a training. */
export interface Trained {
  /** Of each unit, as the developer has fetched and paid for it. */
  readonly results: readonly Result[];
  /** Units of each round, the first round first. */
  readonly members: readonly (readonly number[])[];
}

/**
 * Has four real agents train one model on a real chain, each unit in a container of an image that is pulled by its digest. Two machines
 * fail meanwhile, agent and container alike: that of another unit, until a round went without it, and then that of unit 0, which writes
 * the rounds' records.
 *
 * @param reference The image.
 * @param socket Of the engine that all nodes use.
 */
export async function trainOneModel(reference: string, socket: string, docker: Docker): Promise<Trained> {
  const changes = { ...PATIENT, MinCheckpointInterval: { value: 1 } };
  const network = await TestNetwork.start("test-diloco", changes);
  let trained: Trained | undefined;
  try {
    await network.withTails(async () => {
      trained = await new Training(network, reference, socket, docker).run();
    });
  } finally {
    await network.stop();
    await removeContainers(docker, network.directory);
  }
  if (!trained) throw new Error("the training came to no end");
  return trained;
}

class Training {
  readonly #network: TestNetwork;
  readonly #reference: string;
  readonly #socket: string;
  readonly #docker: Docker;
  /** Units of the rounds that have been told of, by round. */
  readonly #members = new Map<number, readonly number[]>();
  /** How the developer's command has ended; undefined while it runs. */
  #ended: number | NodeJS.Signals | undefined;

  constructor(network: TestNetwork, reference: string, socket: string, docker: Docker) {
    this.#network = network;
    this.#reference = reference;
    this.#socket = socket;
    this.#docker = docker;
  }

  async run(): Promise<Trained> {
    const network = this.#network;
    for (const each of NODES) await this.#start(each);
    await network.until("all nodes are listed", async () => {
      const nodes = await network.session.reader.nodes(await network.session.reader.block());
      return nodes.filter(({ listing, endpoint }) => listing && endpoint !== "").length === NODES.length;
    });
    await network.keeper();
    const out = join(network.directory, "results");
    const { exit } = network.processes.start("developer", this.#command(out), {
      DRMP_LOCALHOST_URL: network.chain.rpcUrl,
    });
    void exit.then((code) => (this.#ended = code));

    await this.#until("three rounds", () => this.#newest >= 3);
    await this.#failing(1, "a round without it", (since) =>
      [...this.#members].some(([round, units]) => round > since && !units.includes(1)),
    );
    await this.#until("it takes part again", () => {
      const isBack = this.#members.get(this.#newest)?.includes(1) ?? false;
      if (!isBack && this.#newest === ROUNDS) throw new Error("unit 1 did not come back before the last round");
      return isBack;
    });
    // No round ends without unit 0: there is nothing to wait for meanwhile.
    await this.#failing(0, "its end", () => true);

    await this.#until("the developer has paid", () => this.#ended === 0);
    const members = [...this.#members].sort(([a], [b]) => a - b).map(([, units]) => units);
    return { results: await resultsIn(out), members };
  }

  get #newest(): number {
    return Math.max(0, ...this.#members.keys());
  }

  /** What a developer types. */
  #command(out: string): string[] {
    const { directory, chain } = this.#network;
    return [
      ...["tasks/drmp.ts", "run", "python/examples/diloco.py", "--image", this.#reference],
      ...["--args", `--rounds ${String(ROUNDS)} --every ${String(EVERY)} --pace ${String(PACE_MS)}`],
      ...["--units", String(UNITS), "--exchange", "1", "--quorum", String(QUORUM)],
      ...["--grace", `${String(GRACE_SECONDS)}s`, "--class", "cpu/eu", "--max-price", "0.02"],
      ...["--memory", "1024", "--scratch", "256", "--interval", "5s", "--within", "2h", "--yes"],
      ...["--out", out, "--store", join(directory, "developer")],
      ...["--deployment", chain.deployment, "--account", String(ACCOUNT)],
    ];
  }

  async #start(each: ParticipantNode): Promise<void> {
    await this.#network.agent(each, { executor: { kind: "container", socket: this.#socket } });
  }

  /** Takes the machine of a unit away until something was seen, as a power cut does; then it starts again. */
  async #failing(unit: number, what: string, isSeen: (since: number) => boolean): Promise<void> {
    const { processes, configs } = this.#network;
    const victim = await this.#nodeOf(unit);
    await processes.kill(victim.name);
    await removeContainers(this.#docker, configs.agentData(victim));
    const since = this.#newest + 1;
    await this.#until(`${what}, after the machine of unit ${String(unit)} has failed`, () => isSeen(since));
    await this.#start(victim);
  }

  async #nodeOf(unit: number): Promise<ParticipantNode> {
    for (const each of NODES) if ((await this.#logs(each)).some(({ index }) => index === unit)) return each;
    throw new Error(`no node has unit ${String(unit)}`);
  }

  /** What the units of a node have logged. */
  async #logs(each: ParticipantNode): Promise<{ readonly index: number; readonly text: string }[]> {
    const leases = join(this.#network.configs.agentData(each), "leases");
    const paths = await readdir(leases, { recursive: true }).catch(() => []);
    const found = paths.filter((path) => path.endsWith("/unit.log"));
    const texts = await Promise.all(found.map((path) => readFile(join(leases, path), "utf8").catch(() => "")));
    return texts.map((text) => ({ index: Number(/^--- unit (\d+) of task /m.exec(text)?.[1] ?? NaN), text }));
  }

  /** Waits, and meanwhile notes what units tell of their rounds. @throws Error as soon as the developer's command has ended before. */
  async #until(what: string, isSeen: () => boolean): Promise<void> {
    await this.#network.until(what, async () => {
      // Before the logs are read: then they are whole.
      const ended = this.#ended;
      for (const each of NODES) for (const { text } of await this.#logs(each)) this.#note(text);
      const seen = isSeen();
      if (!seen && ended !== undefined) throw new Error(`drmp run ended with ${String(ended)}; not reached: ${what}`);
      return seen;
    });
  }

  #note(log: string): void {
    for (const [, round = "", units = ""] of log.matchAll(/^round (\d+) of units (\d+(?:, \d+)*)$/gm)) {
      const told = units.split(", ").map(Number);
      const before = this.#members.get(Number(round)) ?? told;
      if (String(before) !== String(told))
        throw new Error(`round ${round} is of units ${String(before)} and of ${units}`);
      this.#members.set(Number(round), told);
    }
  }
}

/** Removes containers of units whose folders lie below a directory. */
async function removeContainers(docker: Docker, directory: string): Promise<void> {
  for (const { Id, Labels } of await answer(() => docker.listContainers({ all: true }))) {
    if (!Labels[LABELS.root]?.startsWith(`${directory}/`)) continue;
    await answer(() => docker.getContainer(Id).remove({ force: true }));
  }
}

/** What a developer has fetched, by unit. */
async function resultsIn(directory: string): Promise<Result[]> {
  const paths = (await readdir(directory, { recursive: true })).filter((path) => /unit-\d+\/result\.json$/.test(path));
  return Promise.all(paths.map(async (path) => JSON.parse(await readFile(join(directory, path), "utf8")) as Result));
}
