// Writes reassignment.json: batches of failed nodes' ranges and who they are drawn for. The Solidity tests draw the very same
// batches on the contracts; packages/protocol/vrf/reassignment.test.ts draws them again.
// Run it by `node test/vectors/generate-reassignment.ts` when the protocol has changed on purpose.
import { writeFileSync } from "node:fs";

import { AbiCoder, keccak256 } from "ethers";

import { drawBatch } from "@verai/protocol/vrf/reassignment";
import { type BatchVector, orphansOf } from "./reassignment.ts";

const SCENARIOS = 8;

let state = 0xfa11;

/** A number in [0, bound), from a linear congruential generator: the same on every machine. */
function below(bound: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

function scenario(index: number): Omit<BatchVector, "seed" | "drawn"> {
  // The market gets narrower: from all in one piece to nothing at all.
  const nodes = Array.from({ length: index === 8 ? 0 : 12 - index }, () => ({
    classId: below(3),
    capacity: 1 + below(9),
    tick: 1 + below(4),
    load: below(5_001),
    latency: below(501),
    kin: below(6) === 0,
  }));
  const classIds = index % 2 === 0 ? [0, 1, 2] : [0, 2];
  return {
    name: `random ${index}`,
    word: 9_000 + index,
    // As the contracts' tests set them; nobody is silent.
    rule: { latencyFloor: 50, latencyMin: 250, loadFloor: 2_000, averageLoad: 0, band: 0, reportedSince: 0 },
    failed: Array.from({ length: 1 + below(6) }, () => 1 + below(7)),
    nodes,
    maxPrice: 7_500,
    classIds,
    surcharges: index % 3 === 0 ? classIds.map(() => below(3) * 1_000) : [],
  };
}

const batches = Array.from({ length: SCENARIOS }, (_, i): BatchVector => {
  const raw = scenario(i + 1);
  const seed = keccak256(AbiCoder.defaultAbiCoder().encode(["uint256"], [raw.word]));
  const vector = { ...raw, seed };
  return { ...vector, drawn: drawBatch(seed, orphansOf(vector), vector.rule) };
});

writeFileSync(new URL("reassignment.json", import.meta.url), `${JSON.stringify({ batches }, null, 2)}\n`);
console.log(`${batches.length} batches written, ${batches.map(({ drawn }) => drawn.length).join(", ")} leases.`);
