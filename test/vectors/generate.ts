// Writes rounds.json: small rounds with the post that settles each and the leases that come of it. The Solidity tests
// settle the very same rounds on the contracts; packages/protocol/allocation/vectors.test.ts plans them again.
// Run it by `node test/vectors/generate.ts` when the protocol has changed on purpose.
import { writeFileSync } from "node:fs";

import { AbiCoder, hexlify, keccak256 } from "ethers";

import { pathSolver } from "@verai/protocol/allocation/path-solver";
import { planRound } from "@verai/protocol/allocation/round-plan";
import { leasesOf, type RoundVector, roundOf, TICK_SIZES } from "./rounds.ts";

const SCENARIOS = 12;

let state = 0x5eed;

/** A number in [0, bound), from a linear congruential generator: the same on every machine. */
function below(bound: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

function scenario(index: number): Pick<RoundVector, "name" | "nodes" | "tasks"> {
  const nodes = Array.from({ length: 1 + below(9) }, () => ({
    classId: below(TICK_SIZES.length),
    capacity: 1 + below(6),
    tick: below(5),
  }));
  const tasks = Array.from({ length: 1 + below(4) }, () => {
    const classIds = TICK_SIZES.map((_, id) => id).filter(() => below(2) === 0);
    // Something must serve each task, or the round would leave it out.
    const first = nodes[0]?.classId ?? 0;
    if (!classIds.includes(first)) classIds.push(first);
    classIds.sort((a, b) => a - b);
    const surcharges = below(2) === 0 ? [] : classIds.map(() => below(3) * 500);
    return { units: 1 + below(10), maxPrice: 7_001 + below(4) * 700, classIds, surcharges };
  });
  return { name: `random ${index}`, nodes, tasks };
}

const textbook: Pick<RoundVector, "name" | "nodes" | "tasks"> = {
  name: "textbook: asks 10, 15, 20; capacities 100, 80, 50; demand 150",
  nodes: [
    { classId: 0, capacity: 100, tick: 10 },
    { classId: 0, capacity: 80, tick: 15 },
    { classId: 0, capacity: 50, tick: 20 },
  ],
  tasks: [{ units: 150, maxPrice: 50_000, classIds: [0], surcharges: [] }],
};

const rounds = [textbook, ...Array.from({ length: SCENARIOS }, (_, i) => scenario(i + 1))].map(
  (each, i): RoundVector => {
    const word = 1_000 + i;
    const seed = keccak256(AbiCoder.defaultAbiCoder().encode(["uint256"], [word]));
    const vector = { ...each, word, seed, post: "0x", leases: [] };
    const plan = planRound(roundOf(vector), pathSolver);
    if (plan.kind === "refusal") throw new Error(`${each.name}: ${plan.why}`);
    return { ...vector, post: hexlify(plan.post), leases: leasesOf(plan.rows) };
  },
);

writeFileSync(new URL("rounds.json", import.meta.url), `${JSON.stringify({ rounds }, null, 2)}\n`);
console.log(`${rounds.length} rounds written.`);
