import type { Account, Outcome } from "./accounting.ts";
import { type GameNode, type MarketContracts, type Said, stakeOf } from "./contracts.ts";
import { ECONOMY, HONEST_SHARES } from "./economy.ts";
import { GameAudits } from "./audits.ts";
import { add, type Game, judgeDeliveries, workHonestly } from "./game.ts";
import type { Strategy } from "./genes.ts";
import { endOverdue, keep } from "./keeper.ts";
import { Player } from "./player.ts";
import { WorkBook } from "./work.ts";
import { EPISODE, type World } from "./world.ts";

/** Steps after the last round in which leases are still worked on. */
const FINISHING = 8;
/** VER that a developer has, which covers the escrow of all that it can want; what is left counts as its own. */
const DEVELOPER_FUNDS = 1_000;
/** Latency of honest nodes, ms; watts of a machine, idle and for each unit that runs. */
const LATENCY = 20;
const WATTS = { idle: 100, unit: 150 } as const;
/** Dispute window of BASE, and a margin. */
const WINDOW = 86_400 + 60;

/**
 * Plays an episode on the contracts, from nothing: honest nodes, developers and a keeper, and a player with a strategy.
 * The same world and strategy play out the same.
 */
export async function playEpisode(chain: MarketContracts, world: World, strategy: Strategy): Promise<Outcome> {
  await chain.restore();
  return new Episode(chain, world).play(strategy);
}

class Episode {
  readonly #chain: MarketContracts;
  readonly #world: World;
  readonly #honest: GameNode[] = [];
  readonly #developers: string[] = [];
  readonly #funds = new Map<string, number>();
  readonly #nodes = new Map<number, GameNode>();
  readonly #compute = new Map<string, number>();
  readonly #playersNodes = new Set<number>();
  #opens = true;
  readonly #game: Game;

  constructor(chain: MarketContracts, world: World) {
    this.#chain = chain;
    this.#world = world;
    const audits = new GameAudits(chain, {
      nodes: this.#nodes,
      together: (a, b) => this.#playersNodes.has(a) && this.#playersNodes.has(b),
      opens: (nodeId) => this.#opens || !this.#playersNodes.has(nodeId),
      computed: (owner, cost) => {
        add(this.#compute, owner, cost);
      },
    });
    this.#game = {
      chain,
      world,
      audits,
      work: new WorkBook(),
      tasks: new Map(),
      nodes: this.#nodes,
      honest: this.#honest,
      compute: this.#compute,
      value: new Map(),
      delays: [],
      served: new Map(),
    };
  }

  async play(strategy: Strategy): Promise<Outcome> {
    const chain = this.#chain;
    const keeper = await this.#account("keeper", 0);
    const oracle = await this.#account("oracle", 0);
    for (let i = 0; i < EPISODE.developers; i++) {
      this.#developers.push(await this.#account(`developer ${String(i)}`, DEVELOPER_FUNDS));
    }
    for (let i = 0; i < EPISODE.nodes; i++) {
      const ask = (HONEST_SHARES[i % HONEST_SHARES.length] ?? 0) * ECONOMY.worth;
      this.#honest.push(await this.#node(`contributor ${String(i)}`, EPISODE.capacity, ask));
    }
    const player = await this.#player(strategy);
    this.#opens = strategy.opens === "always";
    for (const { nodeId } of player.nodes) this.#playersNodes.add(nodeId);
    const start = await chain.now();
    const pool = await chain.pool();
    let last = start;
    for (let step = 0; step < EPISODE.steps + FINISHING; step++) {
      await chain.passTo(start + (step + 1) * EPISODE.stepSeconds);
      if (step >= EPISODE.steps && (await chain.leases()).length === 0) break;
      await this.#arrive(step);
      await player.submit(step);
      await this.#work(player);
      last = await this.#report(player, keeper, last);
      await judgeDeliveries(this.#game, await chain.leases(), player.strategy.dispute === "always");
      if (step < EPISODE.steps) await keep(this.#game, player, keeper, oracle);
      else await endOverdue(chain, await chain.leases(), keeper);
      if (this.#world.audited) await this.#game.audits.keep(keeper, oracle, this.#world.word);
      if (step < EPISODE.steps) await player.move(await chain.leases());
    }
    const end = await chain.now();
    if (this.#world.audited) await this.#game.audits.finish(keeper, oracle, this.#world.word);
    await this.#windUp(keeper);
    const outcome = await this.#outcome(player, [keeper, oracle], end);
    return { ...outcome, pool: (await chain.pool()) - pool };
  }

  async #player(strategy: Strategy): Promise<Player> {
    const capacity = EPISODE.capacity / Math.max(1, strategy.nodes);
    const nodes: GameNode[] = [];
    for (let i = 0; i < strategy.nodes; i++) {
      const { ask, otherAsk } = strategy;
      const other = otherAsk === "same" ? ask : otherAsk === "nothing" ? 0 : 1;
      nodes.push(await this.#node(`player ${String(i)}`, capacity, (i === 0 ? ask : other) * ECONOMY.worth));
    }
    return new Player(this.#game, strategy, nodes, await this.#account("player", DEVELOPER_FUNDS));
  }

  async #node(name: string, capacity: number, ask: number): Promise<GameNode> {
    const owner = await this.#account(name, stakeOf(capacity));
    const node = await this.#chain.registerNode(owner, name, capacity, ask);
    this.#nodes.set(node.nodeId, node);
    if (this.#world.audited) await this.#chain.audits.enlist(node.operator.address, node.nodeId);
    return node;
  }

  async #account(name: string, funds: number): Promise<string> {
    const address = await this.#chain.account(name, funds);
    this.#funds.set(address, funds);
    return address;
  }

  async #arrive(step: number): Promise<void> {
    for (const demand of this.#world.demands.filter((each) => each.step === step)) {
      const owner = this.#developers[demand.developer] ?? "";
      const submittedAt = await this.#chain.now();
      const deadline = submittedAt + EPISODE.deadline;
      const { units } = demand;
      const { audited } = this.#world;
      const terms = { units, maxPrice: ECONOMY.worth, interval: EPISODE.interval, deadline, replicas: 1, audited };
      const taskId = await this.#chain.submit(owner, terms);
      if (taskId === undefined) throw new Error("an honest developer's task was refused");
      this.#game.tasks.set(taskId, { kind: "honest", owner, units, submittedAt, deadline });
    }
  }

  async #work(player: Player): Promise<void> {
    const leases = await this.#chain.leases();
    const everyone = [...this.#game.nodes.values()];
    await player.work(leases);
    for (const lease of leases) {
      if (this.#honest.some(({ nodeId }) => nodeId === lease.nodeId)) await workHonestly(this.#game, lease, everyone);
    }
  }

  /** All nodes report; the keeper posts the batch. @returns When. */
  async #report(player: Player, keeper: string, last: number): Promise<number> {
    const leases = await this.#chain.leases();
    const truth = (node: GameNode): Said => {
      const running = leases.filter(({ nodeId, status }) => nodeId === node.nodeId && status === "active");
      const units = running.reduce((sum, { count }) => sum + count, 0);
      const load = Math.min(10_000, Math.round((10_000 * units) / node.capacity));
      return { node, load, latency: LATENCY, watts: WATTS.idle + WATTS.unit * units };
    };
    const now = await this.#chain.now();
    await this.#chain.report(keeper, [...this.#honest.map(truth), ...player.reports(truth)], Math.max(1, now - last));
    return now;
  }

  /** Nobody works after this: what is delivered is paid, what is not is refunded, and all money is where it belongs. */
  async #windUp(keeper: string): Promise<void> {
    const chain = this.#chain;
    for (const [taskId, { owner }] of this.#game.tasks) await chain.cancel(owner, taskId);
    const deadlines = [...this.#game.tasks.values()].map(({ deadline }) => deadline);
    await chain.passTo(Math.max(...deadlines) + EPISODE.stepSeconds);
    await endOverdue(chain, await chain.leases(), keeper);
    await chain.openBatch(keeper);
    await chain.passTo((await chain.now()) + WINDOW);
    for (const lease of await chain.leases()) {
      if (lease.status === "delivered") await chain.accept(keeper, [lease]);
    }
    const left = (await chain.tasks()).filter(({ status }) => status !== "ended");
    if (left.length !== 0) throw new Error(`tasks that do not end: ${left.map(({ id }) => String(id)).join(", ")}`);
    for (const taskId of this.#game.tasks.keys()) await chain.settleReleases(keeper, taskId);
  }

  async #outcome(player: Player, services: readonly string[], end: number): Promise<Omit<Outcome, "pool">> {
    const { tasks, delays } = this.#game;
    const own = [player.developer, ...player.nodes.map(({ owner }) => owner)];
    const others = [...this.#honest.map(({ owner }) => owner), ...this.#developers, ...services];
    const wanted = [...tasks.values()].filter(({ kind }) => kind === "honest");
    const units = wanted.reduce((sum, task) => sum + task.units, 0);
    const waited = wanted.reduce((sum, task) => sum + (task.units * (end - task.submittedAt)) / 3_600, 0);
    const missing = units - delays.length;
    const late = delays.reduce((sum, hours) => sum + hours, 0) + (missing * waited) / units;
    return {
      seed: this.#world.seed,
      player: await this.#account_(own),
      twin: await this.#account_([this.#honest[1]?.owner ?? ""]),
      others: await this.#account_(others),
      served: own.reduce((sum, address) => sum + (this.#game.served.get(address) ?? 0), 0),
      delay: late / units,
      delivered: delays.length,
      wanted: units,
      transactions: this.#chain.transactions,
    };
  }

  async #account_(addresses: readonly string[]): Promise<Account> {
    const nodes = [...this.#game.nodes.values()];
    const sum = { ver: 0, gas: 0, compute: 0, value: 0 };
    for (const address of addresses) {
      sum.ver += (await this.#chain.wealth(address, nodes)) - (this.#funds.get(address) ?? 0);
      sum.gas += this.#chain.gas.get(address) ?? 0;
      sum.compute += this.#game.compute.get(address) ?? 0;
      sum.value += this.#game.value.get(address) ?? 0;
    }
    return sum;
  }
}
