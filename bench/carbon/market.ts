import type { Round, RoundClass, RoundTask } from "@verai/protocol/allocation/model";
import { classBaseline } from "@verai/protocol/energy/baseline";
import { carbonSurcharge } from "@verai/protocol/energy/carbon";
import { intensityTable, kindOf, regionOf } from "@verai/protocol/energy/intensity";
import { randomNumbers } from "@verai/protocol/allocation/testing/market";

/** A network whose nodes, regions and tasks are like those of today's clouds. */
export interface CarbonMarket {
  readonly classes: readonly RoundClass[];
  /** Tasks without any carbon price. */
  readonly tasks: readonly RoundTask[];
  /** By class id. */
  readonly energy: ReadonlyMap<number, ClassEnergy>;
}

/** What a unit of a class takes and causes. */
export interface ClassEnergy {
  readonly name: string;
  readonly joulesPerUnit: number;
  readonly gramsPerKwh: number;
  readonly kilogramsPerUnit: number;
}

/**
 * Kinds with an assumed price level of a unit (an hour of the device), VER, and their part of the nodes. The ratios are
 * about those of what clouds ask for an hour of an H100, an A10G and a vCPU.
 */
const KINDS = [
  { kind: "gpu-80g", price: 2, weight: 3 },
  { kind: "gpu-24g", price: 0.6, weight: 4 },
  { kind: "cpu", price: 0.03, weight: 3 },
] as const;

/**
 * Regions with an assumed price of electricity (VER per kWh) and their part of the nodes. What matters is that cheap and
 * clean do not coincide: dirty regions are often, but not always, the cheaper ones.
 */
const REGIONS = [
  { region: "se", electricity: 0.09, weight: 2 },
  { region: "fr", electricity: 0.16, weight: 3 },
  { region: "de", electricity: 0.24, weight: 4 },
  { region: "pl", electricity: 0.17, weight: 2 },
  { region: "us", electricity: 0.12, weight: 8 },
  { region: "ca", electricity: 0.09, weight: 2 },
  { region: "in", electricity: 0.1, weight: 4 },
  { region: "sg", electricity: 0.2, weight: 2 },
] as const;

/** Micro-VER. */
const VER = 1_000_000;
/** A tick is a thousandth of the kind's price level. */
const TICKS_AT_LEVEL = 1000;

/**
 * Generates a market, the same for the same seed. Each node asks its region's electricity plus a margin of its own around
 * the kind's price level; tasks want units of one kind and accept most regions.
 *
 * @param load Units wanted for each unit listed, of each kind.
 */
export function carbonMarket(options: { nodes: number; tasks: number; load: number; seed: number }): CarbonMarket {
  const random = randomNumbers(options.seed);
  const classes: {
    id: number;
    name: string;
    tickSize: number;
    nodes: { id: number; tick: number; units: number }[];
  }[] = KINDS.flatMap(({ kind, price }) =>
    REGIONS.map(({ region }) => ({
      id: 0,
      name: `${kind}/${region}`,
      tickSize: Math.round((price * VER) / TICKS_AT_LEVEL),
      nodes: [],
    })),
  );
  classes.forEach((each, i) => (each.id = i));
  const energy = new Map(classes.map(({ id, name }) => [id, classEnergy(name)]));
  for (let id = 1; id <= options.nodes; id++) {
    const { kind, price } = weighted(KINDS, random);
    const { region, electricity } = weighted(REGIONS, random);
    const found = classes.find(({ name }) => name === `${kind}/${region}`);
    const joules = found ? (energy.get(found.id)?.joulesPerUnit ?? 0) : 0;
    // Margins differ by owners: from a quarter below the level to as much above.
    const ask = price * (0.75 + 0.5 * random()) + (electricity * joules) / 3_600_000;
    const tick = Math.min(4095, Math.round((ask * VER) / (found?.tickSize ?? 1)));
    found?.nodes.push({ id, tick, units: 1 + Math.floor(random() * (kind === "cpu" ? 32 : 8)) });
  }
  const kinds = KINDS.map(({ kind, price }) => {
    const own = classes.filter(({ name }) => kindOf(name) === kind);
    const listed = own.reduce((sum, { nodes }) => sum + nodes.reduce((all, { units }) => all + units, 0), 0);
    return { kind, price, own, wanted: Math.round(listed * options.load) };
  });
  const tasks: RoundTask[] = [];
  for (let id = 1; id <= options.tasks; id++) {
    const { price, own, wanted } = kinds[id % kinds.length] ?? kinds[0]!;
    const share = wanted / Math.ceil(options.tasks / kinds.length);
    // Some data may not leave its continent: a fifth of the regions is ruled out for each task.
    const accepted = own.filter(() => random() < 0.8);
    tasks.push({
      id,
      units: Math.max(1, Math.round(share * (0.4 + 1.2 * random()))),
      maxPrice: Math.round(price * VER * 4),
      classes: (accepted.length > 0 ? accepted : own).map(({ id: classId }) => ({ classId, surcharge: 0 })),
    });
  }
  return { tasks, energy, classes: classes.map((each) => ({ ...each, nodes: positioned(each.nodes) })) };
}

/** The round in which every task has this carbon price, VER for a kilogram of CO2. */
export function withCarbonPrice(market: CarbonMarket, price: number, seed: string): Round {
  const tasks = market.tasks.map((task) => ({
    ...task,
    classes: task.classes.map(({ classId }) => {
      const { gramsPerKwh = 0, joulesPerUnit = 0 } = market.energy.get(classId) ?? {};
      return { classId, surcharge: carbonSurcharge(price * VER, gramsPerKwh, joulesPerUnit) };
    }),
  }));
  // A price that would rule work out altogether is not what is asked here: what is served stays the same.
  const highest = Math.max(...tasks.flatMap((task) => task.classes.map(({ surcharge }) => surcharge)));
  const wanted = new Set(tasks.flatMap((task) => task.classes.map(({ classId }) => classId)));
  return {
    roundId: 1,
    seed,
    tasks: tasks.map((task) => ({ ...task, maxPrice: task.maxPrice + highest })),
    classes: market.classes.filter(({ id }) => wanted.has(id)),
  };
}

function classEnergy(name: string): ClassEnergy {
  const joulesPerUnit = classBaseline(name)?.joulesPerUnit ?? 0;
  const { gramsPerKwh } = intensityTable.intensity(regionOf(name));
  return { name, joulesPerUnit, gramsPerKwh, kilogramsPerUnit: ((joulesPerUnit / 3_600_000) * gramsPerKwh) / 1000 };
}

/** Nodes with their places in the arrays of their ticks. */
function positioned(nodes: readonly { id: number; tick: number; units: number }[]) {
  const count = new Map<number, number>();
  return nodes.map((node) => {
    const position = count.get(node.tick) ?? 0;
    count.set(node.tick, position + 1);
    return { ...node, position };
  });
}

function weighted<T extends { readonly weight: number }>(all: readonly T[], random: () => number): T {
  let left = random() * all.reduce((sum, { weight }) => sum + weight, 0);
  return all.find(({ weight }) => (left -= weight) < 0) ?? all[0]!;
}
