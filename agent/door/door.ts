import type { TypedDataDomain } from "ethers";
import { z } from "zod";

import type { ContentAccess } from "@verai/client/content-access";
import { logRequest } from "@verai/client/log-protocol";
import { MAX_OFFER_BYTES } from "@verai/client/offer-protocol";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { parseSpec } from "@verai/executor/spec";
import type { Logger } from "@verai/process/logger";
import { Budget } from "@verai/system/budget";
import { type PublicRequest, servePublic } from "@verai/system/http/public-server";
import { refuse, sendJson } from "@verai/system/http/server";
import type { AgentConfig } from "../config.ts";
import type { LogServer } from "../node/logs.ts";
import type { SpecOffers } from "../node/spec-offers.ts";
import { sendCar } from "./car.ts";
import { ContentDoor } from "./content.ts";
import { DoorError } from "./errors.ts";
import { readLog } from "./logs.ts";
import { holdSpec } from "./specs.ts";

const HOUR_SECONDS = 3_600;
/** Requests of one address each second, and at once; of all at once. */
const [PER_SECOND, BURST, AT_ONCE] = [4, 40, 16];

const specQuery = z.object({
  owner: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  holders: z.coerce.number().int().min(1).max(8).default(2),
});
const resultRequest = z.strictObject({
  lease: z
    .number()
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  proof: z.json(),
});

/** What a door works with. */
export interface DoorParts {
  readonly session: Pick<Session, "reader">;
  readonly store: Pick<
    CheckpointStore,
    "request" | "peerId" | "fetch" | "list" | "unpin" | "collectGarbage" | "blocksOf"
  >;
  readonly access: Pick<ContentAccess, "prove" | "sender" | "mayRead" | "inNameOf">;
  readonly offers: Pick<SpecOffers, "hold">;
  readonly logs: Pick<LogServer, "answer">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  readonly logger: Logger;
}

/**
 * Opens a node's door for web pages: people there have specs held before they submit, and read what is theirs. Who runs the door is
 * trusted with nothing: pages check holders' signatures, and hash every block. What it does for strangers is bounded by address, by
 * the quota of its node at others, and by the size of results.
 */
export async function openDoor(
  { host, port, proxies, specsPerHour, maxResult }: NonNullable<AgentConfig["door"]>,
  parts: DoorParts,
): Promise<{ url: string; close: () => Promise<void> }> {
  const { store, logger, nodeId } = parts;
  const specs = new Budget({ perSecond: specsPerHour / HOUR_SECONDS, burst: specsPerHour });
  const maxBytes = maxResult * 2 ** 20;
  const content = new ContentDoor({ ...parts, maxBytes });
  await content.tidy();
  const handle = async (request: PublicRequest): Promise<void> => {
    const { method, path, response } = request;
    try {
      switch (`${method} ${path}`) {
        case "GET /v1/door":
          sendJson(response, 200, {
            nodeId,
            peer: store.peerId,
            maxSpecBytes: MAX_OFFER_BYTES,
            maxResultBytes: maxBytes,
          });
          return;
        case "POST /v1/specs":
          if (!specs.take(request.client))
            throw new DoorError(
              429,
              `more than ${String(specsPerHour)} specs an hour: ask again later, or at another door`,
            );
          sendJson(response, 200, await takeSpec(parts, request));
          return;
        case "POST /v1/results": {
          const { lease, proof } = parsed(resultRequest, json(request.body));
          const root = await content.result(lease, proof);
          await sendCar(response, root, store.blocksOf(root));
          return;
        }
        case "POST /v1/logs":
          sendJson(response, 200, await readLog(parts, parsed(logRequest, json(request.body))));
          return;
        default:
          refuse(response, 404, "a door answers GET /v1/door, and POST /v1/specs, /v1/results and /v1/logs");
      }
    } catch (error) {
      if (!(error instanceof DoorError)) throw error;
      refuse(response, error.status, error.message);
    }
  };
  const onError = (error: unknown) => {
    logger.error({ err: error }, "the door could not answer");
  };
  const bounds = { maxBody: MAX_OFFER_BYTES, perSecond: PER_SECOND, burst: BURST, atOnce: AT_ONCE };
  const door = await servePublic({ host, port, proxies, ...bounds, handle, onError });
  logger.info({ url: door.url }, "the door for web pages is open");
  return door;
}

async function takeSpec(parts: DoorParts, { query, body }: PublicRequest): Promise<object> {
  const { owner, holders } = parsed(specQuery, Object.fromEntries(query));
  try {
    parseSpec(body);
  } catch (error) {
    throw new DoorError(400, error instanceof Error ? error.message : String(error));
  }
  const held = await holdSpec(parts, new Uint8Array(body), owner, holders);
  parts.logger.info({ spec: held.cid, nodes: held.receipts.map(({ nodeId }) => nodeId) }, "a spec is held for a page");
  return held;
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new DoorError(400, "the request is no JSON");
  }
}

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const { success, data, error } = schema.safeParse(value);
  if (!success) throw new DoorError(400, `the request does not fit: ${z.prettifyError(error)}`);
  return data;
}
