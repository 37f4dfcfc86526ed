import type { PublicClient } from "viem";

import { nodeRegistryAbi } from "@verai/client/typed-abi/NodeRegistry";
import { z } from "zod/mini";
import { bounded } from "../api/bounded.ts";
import { addressOf, type Config } from "../config.ts";
import { messageOf } from "../ui/message.ts";
import { ActionError } from "../wallet/explain.ts";

/** Time for a door's answer, and for a result to begin to come, milliseconds. */
const ANSWER_MS = 25_000;
export const RESULT_MS = 90_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/** Nodes that are asked to hold a spec, and that have to, where there are as many. */
const [ASKED, NEEDED] = [3, 2];
/** Chain time that a spec still has to be held for when its task is submitted, seconds. */
const LEFT_SECONDS = 300;

const door = z.object({ nodeId: z.int(), peer: z.string().check(z.maxLength(128)), maxResultBytes: z.int() });
const held = z.object({
  cid: z.string().check(z.maxLength(128)),
  receipts: z.array(z.object({ nodeId: z.int(), until: z.int(), signature: z.string() })).check(z.maxLength(8)),
  reasons: z.array(z.string()).check(z.maxLength(64)),
});

/** A node's door. */
export interface Door extends z.output<typeof door> {
  readonly url: string;
}

/** A spec that nodes hold. */
export interface HeldSpec {
  /** Nodes whose signatures were checked against their operators on chain. */
  readonly nodes: readonly number[];
  /** Until when, chain time, seconds. */
  readonly until: number;
}

/** Asks a door. @throws ActionError with what it says. */
export async function askDoor(url: string, path: string, body?: BodyInit, ms = ANSWER_MS): Promise<Response> {
  const signal = AbortSignal.timeout(ms);
  const options = { ...(body !== undefined && { method: "POST", body }), signal };
  const response = await fetch(`${url}${path}`, options).catch((cause: unknown) => {
    throw new ActionError(
      "DoorUnreachable",
      `The door ${url} cannot be reached; try again, or another copy of this page.`,
      cause,
    );
  });
  if (response.ok) return response;
  const said = await bounded(response, MAX_ANSWER_BYTES).catch(() => "");
  throw new ActionError(
    "DoorRefused",
    said.trim() === "" ? `The door ${url} answers ${String(response.status)}.` : said.trim(),
  );
}

/** The first of the configured doors that does something. @throws ActionError of the last one. */
export async function atADoor<T>({ doorUrls }: Config, work: (door: Door) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const url of doorUrls) {
    try {
      const { data } = z.safeParse(door, JSON.parse(await bounded(await askDoor(url, "/v1/door"), MAX_ANSWER_BYTES)));
      if (!data) throw new ActionError("DoorRefused", `What is at ${url} is no door.`);
      return await work({ ...data, url });
    } catch (error) {
      last = error;
    }
  }
  if (last instanceof ActionError) throw last;
  throw new ActionError("NoDoor", last === undefined ? "This copy of the page knows no door." : messageOf(last), last);
}

const known = new Map<string, HeldSpec>();

/**
 * Has nodes hold a spec for a task that an account is about to submit, and checks their signatures: a door is trusted with nothing. What
 * is held long enough is not asked for again.
 *
 * @throws ActionError if too few hold it.
 */
export async function holdSpec(
  config: Config,
  client: PublicClient,
  owner: `0x${string}`,
  bytes: Uint8Array<ArrayBuffer>,
  digest: `0x${string}`,
): Promise<HeldSpec> {
  const { timestamp } = await client.getBlock();
  const key = `${owner.toLowerCase()} ${digest}`;
  const before = known.get(key);
  if (before && before.until > Number(timestamp) + LEFT_SECONDS) return before;
  const spec = await atADoor(config, async ({ url }) => {
    const answered = await askDoor(url, `/v1/specs?owner=${owner}&holders=${String(ASKED)}`, bytes);
    const { data } = z.safeParse(held, JSON.parse(await bounded(answered, MAX_ANSWER_BYTES)));
    if (!data) throw new ActionError("DoorRefused", `What the door ${url} answers is no list of receipts.`);
    const good = await checked(config, client, owner, digest, data.receipts, Number(timestamp));
    if (good.length >= Math.min(NEEDED, await activeNodes(config, client))) {
      return { nodes: good.map(({ nodeId }) => nodeId), until: Math.min(...good.map(({ until }) => until)) };
    }
    const why = data.reasons.length === 0 ? "no other node is reached" : data.reasons.join("; ");
    throw new ActionError(
      "SpecNotHeld",
      `${String(good.length)} of ${String(NEEDED)} nodes hold the spec (${why}); nothing was sent. Try again in a minute.`,
    );
  });
  known.set(key, spec);
  return spec;
}

type Receipt = z.output<typeof held>["receipts"][number];

/** Receipts that count: signed by the operators of nodes that are active, and drawn for the spec. */
async function checked(
  config: Config,
  client: PublicClient,
  owner: string,
  digest: string,
  receipts: readonly Receipt[],
  now: number,
): Promise<Receipt[]> {
  const [{ specHoldingSigner }, { specHolders }, { signingDomain }, { ENUMS }] = await Promise.all([
    import("@verai/client/offer-protocol"),
    import("@verai/protocol/checkpoints/task-holders"),
    import("@verai/client/signing"),
    import("@verai/client/generated/enums"),
  ]);
  const registry = { address: addressOf(config, "NodeRegistry"), abi: nodeRegistryAbi } as const;
  const drawn = specHolders(digest, await client.readContract({ ...registry, functionName: "nodeCount" }));
  const domain = signingDomain(config.chainId, addressOf(config, "CheckpointRegistry"));
  const one = new Map(receipts.map((receipt) => [receipt.nodeId, receipt]));
  const nodes = await Promise.all(
    [...one.values()].map(async (receipt) => {
      const { nodeId, until, signature } = receipt;
      if (!drawn.includes(nodeId) || until < now + LEFT_SECONDS) return [];
      const [node] = await client.readContract({ ...registry, functionName: "nodePage", args: [nodeId, 1] });
      const signer = specHoldingSigner(domain, { spec: digest, owner, nodeId, until }, signature);
      const good =
        node !== undefined &&
        ENUMS.NodeStatus[node.status] === "active" &&
        signer?.toLowerCase() === node.operator.toLowerCase();
      return good ? [receipt] : [];
    }),
  );
  return nodes.flat();
}

/** Nodes that could hold it: at least one counts, so that a network without any says so. */
async function activeNodes(config: Config, client: PublicClient): Promise<number> {
  const count = await client.readContract({
    address: addressOf(config, "NodeRegistry"),
    abi: nodeRegistryAbi,
    functionName: "nodeCount",
  });
  return Math.max(1, count);
}
