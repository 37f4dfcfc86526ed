import { readAudits } from "@verai/client/audit-reads";
import type { Session } from "@verai/client/session";
import { nodeIdOf, seen } from "@verai/devnet/faults";
import { AUDITED, CHEAT, type ParticipantNode } from "@verai/devnet/participants";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { formatEther } from "ethers";

/** What came of the cheat. Times in seconds since its segment was posted. */
export interface AuditStory {
  readonly leaseId: number;
  /** Number of the checkpoint that ends the segment with the skipped steps. */
  readonly sequence: number;
  /** Who was drawn to run it again. */
  readonly verifier: string;
  readonly drawn: number;
  readonly panel: number;
  readonly convicted: number;
  /** Rounds of the panel. */
  readonly rounds: number;
  /** Wei. */
  readonly slashedWei: bigint;
  /** CID of the last honest state, which the work went on from. */
  readonly lastHonest: string;
  /** The lease that went on, and its node. */
  readonly successor: number;
  readonly by: string;
}

/** What the story is told with. */
export interface AuditStage {
  readonly session: Session;
  readonly say: (text: string) => void;
  readonly nodes: readonly ParticipantNode[];
  readonly firstBlock: number;
}

/** Waits for the cheat to be given the audited task. @returns its lease. */
export async function cheatAtWork({ session, say }: AuditStage): Promise<number> {
  const { reader } = session;
  const nodeId = await nodeIdOf(session, CHEAT);
  const lease = await seen(async () => {
    const leases = await reader.leases(await reader.block());
    return leases.find((each) => each.nodeId === nodeId && each.status === "active");
  });
  say(`${CHEAT.name} has the audited task (lease ${String(lease.id)}), and will skip steps of it`);
  return lease.id;
}

/** Follows the cheat's lease until it is convicted and its work goes on elsewhere. */
export async function followAudit(stage: AuditStage, leaseId: number): Promise<AuditStory> {
  const { session, say, nodes, firstBlock } = stage;
  const { reader, contracts, provider } = session;
  const { audits, checkpoints } = contracts;
  const names = new Map<number, string>();
  for (const node of nodes) names.set(await nodeIdOf(session, node), node.name);
  const nameOf = (id: number) => names.get(id) ?? `node ${String(id)}`;
  const told = new Set<string>();
  const tell = (text: string) => {
    if (!told.has(text)) say(text);
    told.add(text);
  };
  const panel = await seen(async () => {
    const drawn = await audits.queryFilter(audits.filters.VerifierDrawn(leaseId), firstBlock);
    for (const { args } of drawn.filter(({ args: { question } }) => question < 256n)) {
      tell(
        `segment ${String(args.sequence)} of lease ${String(leaseId)} is drawn: ${nameOf(Number(args.nodeId))} runs it again`,
      );
    }
    const passed = await audits.queryFilter(audits.filters.AuditEnded(leaseId), firstBlock);
    for (const { args } of passed.filter(({ args: { status } }) => status === 6n)) {
      tell(`segment ${String(args.sequence)} passes: ${CHEAT.name} did that work`);
    }
    return (await audits.queryFilter(audits.filters.PanelDrawn(leaseId), firstBlock))[0];
  });
  const sequence = Number(panel.args.sequence);
  const [state] = await readAudits(reader, await reader.block(), [{ leaseId, sequence }]);
  const verifier = nameOf(state?.verifierId ?? 0);
  say(
    `segment ${String(sequence)}: ${verifier} comes to another state than ${CHEAT.name}; all others of the class are asked`,
  );
  const ended = await seen(async () => {
    const events = await audits.queryFilter(audits.filters.AuditEnded(leaseId, sequence), firstBlock);
    return events[0];
  });
  const slashed = await audits.queryFilter(
    audits.filters.AuditSlashed(ended.args.nodeId),
    ended.blockNumber,
    ended.blockNumber,
  );
  const slashedWei = slashed.reduce((sum, { args }) => sum + args.amount, 0n);
  const [after] = await readAudits(reader, await reader.block(), [{ leaseId, sequence }]);
  const rounds = (after?.panel.round ?? 0) + 1;
  say(
    `${after?.status ?? "?"}: after ${String(rounds)} rounds ${CHEAT.name} loses ${formatEther(slashedWei)} VER of stake and leaves the market`,
  );
  const posted = await checkpoints.queryFilter(checkpoints.filters.CheckpointTraced(leaseId), firstBlock);
  const of = (number: number) => posted.find(({ args }) => Number(args.sequence) === number);
  const before = of(sequence - 1);
  const lastHonest = before
    ? fromChainCid({ digest: before.args.digest, codec: Number(before.args.codec) }).toString()
    : "";
  const successor = await seen(async () =>
    (await reader.leases(await reader.block())).find(({ parent }) => parent === leaseId),
  );
  const by = nameOf(successor.nodeId);
  say(
    `the work of ${AUDITED.name} goes on at ${by} (lease ${String(successor.id)}), from checkpoint ${String(sequence - 1)}`,
  );
  const timeOf = async (block: number) => (await provider.getBlock(block))?.timestamp ?? 0;
  const began = await timeOf(of(sequence)?.blockNumber ?? 0);
  const since = async (block: number) => (await timeOf(block)) - began;
  const [first] = await audits.queryFilter(audits.filters.VerifierDrawn(leaseId, sequence), firstBlock);
  return {
    ...{ leaseId, sequence, verifier, rounds, slashedWei, lastHonest, by, successor: successor.id },
    drawn: await since(first?.blockNumber ?? 0),
    panel: await since(panel.blockNumber),
    convicted: await since(ended.blockNumber),
  };
}
