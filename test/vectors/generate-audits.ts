// Writes audits.json: traces, links, commitments and draws of audits. The Solidity tests hold TraceTree.sol, Link.sol and
// AuditDraw.sol to it; packages/protocol/audits/audits.test.ts their TypeScript.
// Run it by `node test/vectors/generate-audits.ts` when the protocol has changed on purpose.
import { writeFileSync } from "node:fs";

import { keccak256, toBeHex } from "ethers";

import { auditSalt, isDrawn, probeAt, unitAt, verifierCandidate } from "@verai/protocol/audits/draws";
import { commitment, headAfter, linkHash, NO_HEAD } from "@verai/protocol/audits/segments";
import { openTrace, traceAnswer, traceRoot } from "@verai/protocol/audits/trace";

let drawn = 0;

/** A word: the same in each run. */
function word(): string {
  return keccak256(toBeHex(++drawn, 32));
}

/** A number in [0, bound). */
function below(bound: number): number {
  return Number(BigInt(word()) % BigInt(bound));
}

const traces = [[1], [2], [3, 1], [5, 4, 9], [17, 1, 1, 8, 2]].map((counts) => {
  const first = below(1_000);
  const units = counts.map((count, i) => ({
    unit: first + 3 * i,
    leaves: Array.from({ length: count }, (_, k) => ({ step: 50 * (k + 1) + i, digest: word() })),
  }));
  const openings = counts.map((count, place) => {
    const probe = probeAt(word(), 0, count);
    const opened = openTrace(units, place, probe);
    return { place, probe, opened, answer: traceAnswer(opened) };
  });
  return { units, root: traceRoot(units), openings };
});

let head = NO_HEAD;
const links = [0x70, 0x55, 0x70].map((codec, i) => {
  const link = {
    sequence: i + 1,
    digest: word(),
    traceRoot: word(),
    progress: 500 * (i + 1),
    at: 1_800_000_000 + i,
    codec,
    size: 2 ** 40,
  };
  head = headAfter(head, [linkHash(link)]);
  return { link, hash: linkHash(link), head };
});

const commitments = [true, false].map((vouched, i) => {
  const verdict = {
    leaseId: below(2 ** 32),
    sequence: below(2 ** 32),
    question: 256 * i,
    nodeId: below(2 ** 32),
    answer: word(),
    fresh: i === 0 ? NO_HEAD : word(),
    vouched,
  };
  const salt = word();
  return { verdict, salt, word: commitment(verdict, salt) };
});

const draws = Array.from({ length: 24 }, (_, i) => {
  const [seed, leaseId, sequence, chance] = [
    word(),
    below(2 ** 32),
    below(2 ** 32),
    [100, 5_000, 9_999, 10_000][i % 4] ?? 0,
  ];
  const [positions, candidate, units, leaves, question] = [
    1 + below(500),
    below(64),
    1 + below(9),
    1 + below(40),
    below(300),
  ];
  const salt = auditSalt(seed, leaseId, sequence);
  const { position, chance: acceptance } = verifierCandidate(salt, positions, candidate);
  return {
    ...{ seed, leaseId, sequence, chance, salt, drawn: isDrawn(salt, chance) },
    ...{ positions, candidate, position, acceptance: String(acceptance) },
    ...{ units, unit: unitAt(salt, units), leaves, question, probe: probeAt(salt, question, leaves) },
  };
});

writeFileSync(
  new URL("audits.json", import.meta.url),
  `${JSON.stringify({ traces, links, commitments, draws }, undefined, 2)}\n`,
);
