/* Indices run over columns of one length: every "!" in this file is an element that exists. */
import { nodeOrders } from "../vrf/draws.ts";
import { type Certificate, certify } from "./certify.ts";
import { type Grant, layRows, marginalShares, marginOf, type Row } from "./grants.ts";
import {
  buildProblem,
  classLabel,
  type ListedNode,
  nodeColumns,
  type Problem,
  type Round,
  type RoundClass,
  unitsByClass,
} from "./model.ts";
import { decodePost, type Post } from "./post.ts";
import { requireThat } from "./refusal.ts";

/** What a valid post does. */
export interface VerifiedPost extends Post {
  readonly certificate: Certificate;
  /** Granted nodes of each class. */
  readonly grants: readonly (readonly Grant[])[];
  readonly rows: readonly Row[];
}

/**
 * Checks a packed post as the contracts will: certificate first, then each class's nodes. Written after the contracts
 * and not after the code that makes posts, so that the two check one another.
 *
 * O(tasks × accepted classes + nodes of the round's classes).
 *
 * @param round - A validated round.
 * @param problem - The problem that it is, if that has been built.
 * @param orderOf - The places that its seed gives to nodes, if they are kept.
 * @throws Refusal with the code of the contracts' error.
 */
export function verifyPost(
  round: Round,
  bytes: Uint8Array,
  problem: Problem = buildProblem(round),
  orderOf = nodeOrders(round.seed),
): VerifiedPost {
  const post = decodePost(round, bytes);
  const open = problem.tasks.map(({ id, units }, t) => {
    const granted = (post.flows[t] ?? []).reduce((sum, each) => sum + each, 0);
    requireThat(
      granted <= units,
      "TaskOverfilled",
      () => `Task ${id} is granted ${granted} units although it brought ${units} into the round.`,
    );
    return units - granted;
  });
  const certificate = certify(problem, { flows: post.flows, open }, post.clearing);
  const units = unitsByClass(problem, post.flows);
  const grants = round.classes.map((listed, k) =>
    verifyNodes(round.seed, listed, post.clearing[k] ?? 0n, units[k] ?? 0, post.nodes[k] ?? [], orderOf),
  );
  return { ...post, certificate, grants, rows: layRows(round, post.flows, grants) };
}

/** The checks of `Listings.fill` on a class's granted nodes. */
function verifyNodes(
  seed: string,
  listed: RoundClass,
  clearing: bigint,
  units: number,
  nodeIds: readonly number[],
  orderOf: (nodeId: number) => bigint,
): Grant[] {
  const margin = marginOf(listed, clearing, units);
  const shares = marginalShares(seed, listed, margin);
  const { ids, ticks } = nodeColumns(listed);
  const byId = new Map<number, ListedNode>();
  for (let i = 0; i < ids.length; i++) if (ticks[i]! <= margin.tick) byId.set(ids[i]!, listed.nodes[i]!);
  let place = 0n;
  const grants = nodeIds.map((nodeId) => {
    const next = orderOf(nodeId);
    requireThat(next > place, "NodesOutOfOrder", () => `Node ${nodeId} does not come after the one before it.`);
    place = next;
    const node = byId.get(nodeId) ?? listed.nodes.find(({ id }) => id === nodeId);
    requireThat(node !== undefined, "NodeNotListed", () => `Node ${nodeId} is not listed in ${classLabel(listed)}.`);
    requireThat(
      node.tick <= margin.tick,
      "AskAboveClearing",
      () => `Node ${nodeId} asks more than the clearing price of ${classLabel(listed)}.`,
    );
    const amount = node.tick < margin.tick ? node.units : shares.get(nodeId);
    requireThat(
      amount !== undefined,
      "NotInFilling",
      () =>
        `Node ${nodeId} stands at the marginal tick of ${classLabel(listed)}, but the seed's filling does not reach it.`,
    );
    return { nodeId, units: amount, price: node.tick * listed.tickSize };
  });
  const granted = grants.reduce((sum, grant) => sum + grant.units, 0);
  requireThat(
    granted === units,
    "ClassUnitsMismatch",
    () => `The nodes of ${classLabel(listed)} hold ${granted} units where ${units} flow through it.`,
  );
  return grants;
}
