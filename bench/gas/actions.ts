import { readFileSync } from "node:fs";

import { concat, dataSlice, formatUnits, id, Interface, Wallet } from "ethers";

import { WEI_PER_VER } from "@verai/protocol/money/units";
import { BASE_CHAIN_ID } from "@verai/client/chains";
import { abiOf, type ContractName } from "@verai/client/abi";
import { type L1Prices, l1Weight } from "@verai/client/l1-fee";
import { packReports } from "@verai/client/report";
import { markdownTable } from "../report.ts";

/** What people and programs send: its gas stands in snapshots/, its bytes are those of a call like it. */
interface Action {
  readonly who: string;
  readonly name: string;
  /** File in snapshots/ and the name in it. */
  readonly gas: readonly [file: string, key: string];
  readonly contract: ContractName;
  readonly call: readonly [method: string, ...values: unknown[]];
}

/** What an action costs. Wei. */
export interface ActionCost {
  readonly who: string;
  readonly name: string;
  readonly gas: number;
  /** Bytes of the signed transaction. */
  readonly bytes: number;
  readonly l1Fee: bigint;
  readonly total: bigint;
}

const VER = WEI_PER_VER;
const MILLI = 10n ** 15n;
/** Ids and times as a network has them that has been used for a while. */
const [NODE, TASK, LEASE, ROUND, NOW] = [1_207, 5_021, 48_113, 3_310, 1_764_000_000];

/** Bytes that no compression makes shorter, the same in every run. */
const noise = (label: string, bytes: number): string =>
  dataSlice(concat(Array.from({ length: Math.ceil(bytes / 32) }, (_, i) => id(`${label} ${i}`))), 0, bytes);

const ACCOUNT = noise("operator", 20);
const CONSENT = [ACCOUNT, NOW + 86_400, noise("consent", 65)];
const PERMIT = [NOW + 3_600, 27, noise("r", 32), noise("s", 32)];
const TERMS = [4, 4, 12n * MILLI];
const PROFILE = [1, 250, 400, "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWJ7Xhy1RcBNmFvuCwWcZdu3qAuJ2r4dRXYpRh9Xc4ZbLq"];
/** Interval, longest time of a unit, receipts, chance of an audit, deadline. */
const TERMS_OF_TASK = [600, 86_400, 1, 0, NOW + 86_400];
const SUBMISSION = [noise("spec", 32), 0x55, 8, 20n * MILLI, ...TERMS_OF_TASK, [0, 1], [0n, 3n * MILLI]];
const CID = [noise("cid", 32), 0x70];
const CLAIM = [LEASE, 1, ...CID, 4_117, 1_048_613];
const receipts = (count: number) =>
  Array.from({ length: count }, (_, i) => [i, noise(`receipt ${i}`, 65)] as const);
const reports = (count: number) =>
  packReports(
    Array.from({ length: count }, (_, i) => ({
      report: {
        nodeId: NODE + i,
        sequence: 900 + i,
        load: 6_113 + 7 * i,
        latency: 23 + (i % 50),
        watts: 101 + 3 * i,
        renewable: false,
      },
      signature: noise(`report ${i}`, 64),
    })),
  );

const ENERGY = [NODE, 21_600, 2_160_117, 0, 1, 1, 0, [[LEASE, 21_600, 2_011_711]]];

const transactions = (key: string) => ["transactions", key] as const;
const everyday = (key: string) => ["everyday", key] as const;
const failover = (key: string) => ["failover", key] as const;
const audits = (key: string) => ["audits", key] as const;

/** A segment with the checkpoint before it, a lease's third of four; a trace of 16 states of one unit; an answer. */
const link = (sequence: number) => [sequence, noise(`digest ${sequence}`, 32), noise(`trace ${sequence}`, 32), 2_000 * sequence, NOW + 600 * sequence, 0x70, 1_048_613];
const SEGMENT = [LEASE, noise("salt of the segment", 32), link(2), link(3)];
const path = (label: string) => Array.from({ length: 4 }, (_, i) => noise(`${label} ${i}`, 32));
const OPENING = [1, 0, 0, 16, 1_420, noise("probe", 32), 1_600, noise("end", 32)];
const ANSWER = [noise("answer", 32), noise("fresh", 32), true, noise("salt", 32)];

const ACTIONS: readonly Action[] = [
  ...of("contributor", "NodeRegistry", [
    ["register a node, stake by permit", everyday("node: register, by permit"), ["registerWithPermit", CONSENT, TERMS, PROFILE, 400n * VER, PERMIT]],
    ["register a node, stake approved before", everyday("node: register, approved before"), ["register", CONSENT, TERMS, PROFILE, 400n * VER]],
    ["update: another ask", everyday("node: change its ask"), ["setTerms", NODE, TERMS]],
    ["update: another class and ask", transactions("node: set terms to another class and tick"), ["setTerms", NODE, TERMS]],
    ["update: profile", everyday("node: change its profile"), ["setProfile", NODE, PROFILE]],
    ["add stake", everyday("node: add stake"), ["addStake", NODE, 100n * VER]],
    ["drain", transactions("node: drain"), ["drain", NODE]],
    ["resume", everyday("node: resume"), ["resume", NODE]],
    ["exit", everyday("node: exit"), ["exit", NODE]],
    ["withdraw the stake", everyday("node: withdraw"), ["withdraw", NODE]],
  ]),
  ...of("developer", "TaskRegistry", [
    ["submit a task, escrow by permit", everyday("task: submit, by permit"), ["submitWithPermit", SUBMISSION, PERMIT]],
    ["submit a task, escrow approved before", transactions("task: submit"), ["submit", SUBMISSION]],
    ["cancel a task", transactions("task: cancel"), ["cancel", TASK]],
  ]),
  ...of("developer", "LeaseRegistry", [
    ["accept a result, the last of its task", transactions("lease: accept, the last of its task"), ["accept", [LEASE]]],
    ["dispute a result", everyday("lease: dispute"), ["dispute", LEASE]],
  ]),
  ...of("anybody", "VerToken", [["approve VER to the vault", everyday("token: approve"), ["approve", ACCOUNT, 400n * VER]]]),
  ...of("anybody", "Vault", [["claim", transactions("vault: claim"), ["claim", ACCOUNT]]]),
  ...of("agent", "CheckpointRegistry", [
    ["first checkpoint of a lease, no receipt", transactions("checkpoint: first"), ["post", CLAIM, []]],
    ["next checkpoint, no receipt", transactions("checkpoint: next"), ["post", CLAIM, []]],
    ...[1, 2, 3].map(
      (count): Row => [
        `checkpoint with ${String(count)} receipt${count > 1 ? "s" : ""}`,
        failover(`checkpoint: post with receipts, ${String(count)}`),
        ["post", CLAIM, receipts(count)],
      ],
    ),
  ]),
  ...of("agent", "LeaseRegistry", [
    ["deliver a result", transactions("lease: deliver"), ["deliver", LEASE, 1, ...CID, 1_048_613]],
    ["release a lease", everyday("lease: release"), ["release", LEASE, 1, 1]],
  ]),
  ...of("agent", "CheckpointRegistry", [
    ["checkpoint with a trace root, no receipt", audits("checkpoint with a trace root"), ["postTraced", CLAIM, noise("trace", 32), []]],
  ]),
  ...of("agent", "Audits", [
    ["confirm a segment that is right, the first of its node", audits("confirm"), ["confirm", SEGMENT, OPENING, [path("probe"), path("end"), []]]],
    ["confirm a segment that is right, a later one", audits("confirm, a later one"), ["confirm", SEGMENT, OPENING, [path("probe"), path("end"), []]]],
    ["commit to an answer", audits("commit"), ["commit", LEASE, 3, noise("commitment", 32)]],
    ["open a trace", audits("open the trace"), ["openTrace", SEGMENT, OPENING, [path("probe"), path("end"), []]]],
    ["reveal an answer, equal to the producer's", audits("reveal, equal"), ["reveal", SEGMENT, ANSWER, noise("producer", 32)]],
    ["reveal an answer, unequal: a panel is drawn", audits("reveal, unequal: draw a panel"), ["reveal", SEGMENT, ANSWER, noise("producer", 32)]],
    ["commit to a vote", audits("commit a vote"), ["commitVote", LEASE, 3, 2, noise("commitment", 32)]],
    ["reveal the last vote of a round: the next is drawn", audits("reveal a vote, the last of its round"), ["revealVote", SEGMENT, 4, ANSWER]],
    ["reveal the vote that convicts", audits("convict"), ["revealVote", SEGMENT, 14, ANSWER]],
    ["collect a member's pay", audits("collect"), ["collect", SEGMENT, 2]],
  ]),
  ...of("agent", "Telemetry", [["report, posted by the node itself", transactions("telemetry: 1 report"), ["post", reports(1)]]]),
  ...of("agent", "EnergyLedger", [["energy report of a lease", transactions("energy: 1 report of a share"), ["report", ENERGY]]]),
  ...of("keeper", "Telemetry", [
    ["100 reports in a batch", transactions("telemetry: 100 reports"), ["post", reports(100)]],
  ]),
  ...of("keeper", "RoundManager", [
    ["open a round", transactions("round: open"), ["open"]],
    ["settle a round of 10 leases", transactions("round: settle, 10 leases"), ["settle", ROUND, noise("post", 53)]],
    ["settle a round of 100 leases", transactions("round: settle, 100 leases of 1,000 nodes"), ["settle", ROUND, noise("post", 413)]],
    ["abort a round", everyday("round: abort"), ["abort"]],
  ]),
  ...of("keeper", "LeaseRegistry", [
    ["expire a lease", failover("lease: expire, orphaned"), ["expire", LEASE]],
    ["hand a moved lease over", transactions("lease: hand over"), ["handOver", LEASE]],
  ]),
  ...of("keeper", "Reassignment", [
    ["open a batch of 1 orphan", failover("batch: open, 1 orphan"), ["open"]],
    ["draw for 1 orphan", failover("batch: draw, 1 orphan"), ["draw", 8]],
    ["open a batch of 32 orphans", failover("batch: open, 32 orphans"), ["open"]],
    ["draw for 32 orphans", failover("batch: draw, 32 orphans"), ["draw", 32]],
  ]),
  ...of("keeper", "AuditEpochs", [["open an epoch of audits", audits("open an epoch"), ["openEpoch", LEASE]]]),
  ...of("keeper", "Audits", [
    ["open an audit, a verifier is drawn", audits("open, and draw a verifier"), ["open", [SEGMENT, noise("head", 32), [noise("later", 32)]], 31]],
    ["hold a payment while an audit runs", audits("hold a payment"), ["holdPayment", LEASE, 3]],
    ["close a step whose time is over", audits("close, and draw another verifier"), ["close", SEGMENT]],
  ]),
  ...of("keeper", "Balancer", [["move a lease", transactions("balancing: 1 move"), ["move", [[LEASE, 2]]]]]),
];

type Row = readonly [name: string, gas: Action["gas"], call: Action["call"]];

function of(who: string, contract: ContractName, rows: readonly Row[]): Action[] {
  return rows.map(([name, gas, call]) => ({ who, contract, name, gas, call }));
}

/**
 * What each action costs: gas from the committed snapshots, the L1 data fee from the bytes of a call like it.
 *
 * @param baseFee Wei a gas.
 * @throws Error naming a snapshot that is not there.
 */
export async function actionCosts(baseFee: bigint, prices: L1Prices): Promise<ActionCost[]> {
  const snapshots = new Map<string, Record<string, string>>();
  const gasOf = ([file, key]: Action["gas"]): number => {
    if (!snapshots.has(file)) {
      const text = readFileSync(new URL(`../../snapshots/${file}.json`, import.meta.url), "utf8");
      snapshots.set(file, JSON.parse(text) as Record<string, string>);
    }
    const gas = snapshots.get(file)?.[key];
    if (gas === undefined) throw new Error(`snapshots/${file}.json has no "${key}"`);
    return Number(gas);
  };
  // Any key: what counts is that a signature exists.
  const wallet = new Wallet(id("a key for measuring"));
  const costs: ActionCost[] = [];
  for (const { who, name, gas: place, contract, call } of ACTIONS) {
    const [method, ...values] = call;
    const gas = gasOf(place);
    const signed = await wallet.signTransaction({
      type: 2,
      chainId: BASE_CHAIN_ID,
      nonce: 211,
      to: noise(contract, 20),
      data: new Interface(abiOf(contract)).encodeFunctionData(method, values),
      gasLimit: 2 * gas,
      maxFeePerGas: 50_000_000n,
      maxPriorityFeePerGas: 1_000_000n,
    });
    const { bytes, fee } = l1Weight(signed, prices);
    costs.push({ who, name, gas, bytes, l1Fee: fee, total: BigInt(gas) * baseFee + fee });
  }
  return costs;
}

/** The costs for people, with dollars at this price of 1 ETH. */
export function actionTable(costs: readonly ActionCost[], ethUsd: number): string {
  const right = (heading: string) => ({ heading, align: "right" as const });
  let before = "";
  return markdownTable(
    [{ heading: "who" }, { heading: "action" }, ...["gas", "transaction", "L1 fee", "ETH", "dollars"].map(right)],
    costs.map(({ who, name, gas, bytes, l1Fee, total }) => {
      const shown = who === before ? "" : who;
      before = who;
      const eth = Number(formatUnits(total, "ether"));
      return [
        shown,
        name,
        gas.toLocaleString("en"),
        `${bytes.toLocaleString("en")} B`,
        `${Number(formatUnits(l1Fee, "gwei")).toPrecision(3)} gwei`,
        eth.toFixed(9),
        `$${(eth * ethUsd).toPrecision(2)}`,
      ];
    }),
  );
}
