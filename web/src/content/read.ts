import type { PublicClient } from "viem";

import type { LogAnswer } from "@verai/client/log-protocol";
import { leaseRegistryAbi } from "@verai/client/typed-abi/LeaseRegistry";
import { boundedBytes } from "../api/bounded.ts";
import { addressOf, type Config } from "../config.ts";
import type { Actor } from "../wallet/account.ts";
import { ActionError } from "../wallet/explain.ts";
import { askDoor, atADoor, type Door, RESULT_MS } from "./door.ts";
import type { VerifiedFile } from "./car.ts";

/** What a CAR file has beside the blocks: lengths and CIDs. */
const CAR_EXTRA = 4 * 1024 * 1024;
/** Bytes of an answer with a part of a log. */
const MAX_LOG_ANSWER = 128 * 1024;

/** A proof of an account for some content, made for the peer of a door. */
async function proofFor(actor: Actor, config: Config, { peer }: Door, content: string): Promise<object> {
  const [{ CONTENT_REQUEST_TYPES, PROOF_SECONDS }, { signingDomain }] = await Promise.all([
    import("@verai/client/content-proof"),
    import("@verai/client/signing"),
  ]);
  const until = Math.floor(Date.now() / 1000) + PROOF_SECONDS;
  const { CheckpointRegistry: registry = "" } = config.deployment;
  const signed = await actor.sign({
    domain: signingDomain(config.chainId, registry),
    types: CONTENT_REQUEST_TYPES,
    primaryType: "ContentRequest",
    message: { peer, content, until: BigInt(until) },
  });
  return { until, ...signed };
}

/** A result that was fetched: its files, and the CID that the chain names. */
interface VerifiedResult {
  readonly cid: string;
  readonly files: readonly VerifiedFile[];
}

/** Fetches a lease's result for its developer, and verifies every block of it here, from the root that the chain itself names. */
export async function readResult(
  config: Config,
  client: PublicClient,
  actor: Actor,
  lease: number,
): Promise<VerifiedResult> {
  const {
    digest,
    codec,
    size: bytes,
  } = await client.readContract({
    address: addressOf(config, "LeaseRegistry"),
    abi: leaseRegistryAbi,
    functionName: "result",
    args: [lease],
  });
  if (/^0x0+$/.test(digest)) {
    throw new ActionError("NoResult", `The chain knows no result of lease ${String(lease)}; it is not delivered.`);
  }
  const { fromChainCid } = await import("@verai/protocol/checkpoints/cid");
  const [cid, size] = [fromChainCid({ digest, codec }).toString(), Number(bytes)];
  return atADoor(config, async (door) => {
    if (size > door.maxResultBytes) {
      throw new ActionError(
        "ResultTooLarge",
        `The result has ${String(size)} bytes, and doors fetch ${String(door.maxResultBytes)}: take it with \`drmp task:result\`.`,
      );
    }
    const proof = await proofFor(actor, config, door, cid);
    const response = await askDoor(door.url, "/v1/results", JSON.stringify({ lease, proof }), RESULT_MS);
    const car = await boundedBytes(response, 2 * size + CAR_EXTRA);
    const { filesOfCar } = await import("./car.ts");
    return { cid, files: await filesOfCar(car, cid) };
  });
}

/** The end of a unit's log, from the node that runs it. */
export async function readLog(config: Config, actor: Actor, lease: number, unit: number): Promise<string> {
  return atADoor(config, async (door) => {
    const { logSubject, LOG_PART } = await import("@verai/client/log-protocol");
    const proof = await proofFor(actor, config, door, logSubject(lease));
    const body = JSON.stringify({ leaseId: lease, unit, offset: -LOG_PART, proof });
    const bytes = await boundedBytes(await askDoor(door.url, "/v1/logs", body), MAX_LOG_ANSWER);
    const answered = JSON.parse(new TextDecoder().decode(bytes)) as Partial<LogAnswer> & {
      bytes?: string;
      why?: string;
    };
    if (answered.kind !== "log") throw new ActionError("LogRefused", answered.why ?? "The node gives no log.");
    return new TextDecoder().decode(Uint8Array.from(atob(answered.bytes ?? ""), (char) => char.charCodeAt(0)));
  });
}
