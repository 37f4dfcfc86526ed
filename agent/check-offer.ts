import type { Node, NodeClass } from "@verai/client/entities";
import { formatPrice, formatVer, microToWei, parseVer } from "@verai/protocol/money/ver";
import type { Finding } from "@verai/process/check/finding";
import type { AgentConfig } from "./config.ts";

/** Levels of price of a class: an ask is a whole number of ticks below this. */
const TICKS = 4096n;

type Offer = AgentConfig["node"];

/** What the chain would refuse of what a node offers: a class that does not exist, an ask off the grid. Pure. */
export function offerFindings(offer: Pick<Offer, "class" | "ask">, classes: readonly NodeClass[]): Finding[] {
  const found = classes.find(({ name }) => name === offer.class);
  if (!found) {
    return [
      {
        level: "error",
        entry: "node.class",
        value: offer.class,
        what: "is not a class of this network",
        bound: `one of: ${classes.map(({ name }) => name).join(", ")}`,
        remedy: "name the class of this machine, as it is written there",
      },
    ];
  }
  const { ask } = offer;
  if (typeof ask === "string") return amountFindings("node.ask", ask, found);
  const ends = [
    ...amountFindings("node.ask.floor", ask.floor, found),
    ...amountFindings("node.ask.ceiling", ask.ceiling, found),
  ];
  if (parseVer(ask.floor) <= parseVer(ask.ceiling)) return ends;
  const about = {
    level: "error",
    entry: "node.ask.floor",
    value: `${ask.floor} VER`,
    what: "is above the ceiling",
  } as const;
  return [...ends, { ...about, bound: `at most ${ask.ceiling} VER`, remedy: "lower the floor or raise the ceiling" }];
}

/** What the chain would refuse of an amount that is asked. */
function amountFindings(entry: string, amount: string, found: NodeClass): Finding[] {
  const ask = parseVer(amount);
  const tick = microToWei(found.tickSize);
  const about = { level: "error", entry, value: `${amount} VER` } as const;
  const below = ask / tick;
  if (below >= TICKS) {
    const highest = formatVer((TICKS - 1n) * tick);
    return [
      {
        ...about,
        what: `is above the highest of class ${found.name}`,
        bound: `at most ${highest} VER`,
        remedy: `ask ${highest} VER or less`,
      },
    ];
  }
  if (below * tick === ask) return [];
  return [
    {
      ...about,
      what: `is no multiple of the step of class ${found.name}`,
      bound: `a multiple of ${formatPrice(found.tickSize)} VER`,
      remedy: `use ${formatVer(below * tick)} or ${formatVer((below + 1n) * tick)} VER`,
    },
  ];
}

/** Where a configuration says otherwise than what is registered, which it cannot change. Pure. */
export function registeredFindings(offer: Offer, node: Node, classes: readonly NodeClass[]): Finding[] {
  const found = classes.find(({ id }) => id === node.classId);
  const ask = microToWei(node.askTick * (found?.tickSize ?? 0));
  const differ = (entry: string, mine: string, theirs: string, option: string): Finding[] =>
    mine === theirs
      ? []
      : [
          {
            level: "warning",
            entry,
            value: mine,
            what: `node ${String(node.id)} is registered with ${theirs}, and editing the configuration does not change that`,
            bound: "what is registered",
            remedy: `run \`npx hardhat node:update --node ${String(node.id)} ${option}\`, or correct the entry`,
          },
        ];
  const findings = [
    ...differ("node.class", offer.class, found?.name ?? String(node.classId), `--class ${offer.class}`),
    // One that follows the market is another one than at the beginning.
    ...(typeof offer.ask === "string"
      ? differ("node.ask", formatVer(parseVer(offer.ask)), formatVer(ask), `--ask ${offer.ask}`)
      : []),
    ...differ("node.capacity", String(offer.capacity), String(node.capacity), `--capacity ${String(offer.capacity)}`),
  ];
  if (node.status === "unbonding" || node.status === "withdrawn") {
    findings.push({
      level: "error",
      entry: "operator",
      value: node.operator,
      what: `node ${String(node.id)} has left the market (${node.status})`,
      bound: "the operator of a node in the market",
      remedy: "register another node with another operator key",
    });
  }
  return findings;
}
