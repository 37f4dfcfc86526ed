import { z } from "zod";

import { monotonicMs } from "@verai/system/clock";
import { CheckpointError } from "../errors.ts";
import type { Json } from "../messages/frames.ts";
import type { RequestOptions } from "../messages/messenger.ts";
import { type Access, ACCESS_PROTOCOL, MAX_ACCESS_BYTES } from "./access.ts";

/** A grant that is about to end is asked for again, so many milliseconds before. */
const MARGIN_MS = 10_000;
/** For how long a refusal, or an unreached peer, is not asked again, milliseconds: the chain may show a reason soon. */
const REFUSED_MS = 1_000;
/** For how long a peer without access control counts as such, milliseconds. */
const OPEN_MS = 60_000;
/** Time for one request, milliseconds. */
const ASK_MS = 8_000;
/** Tickets remembered; beyond, the oldest is forgotten. */
const MAX_TICKETS = 4_096;

const answer = z.strictObject({
  id: z.string().min(1).max(64),
  key: z.base64().max(64),
  seconds: z.number().int().min(1).max(3_600),
});

/** What a peer has granted this store. */
export interface Ticket {
  readonly id: string;
  readonly key: Buffer;
}

/** A peer's answer: a ticket, that it serves anyone who asks, or why it does not serve this content. */
export type Standing =
  | { readonly kind: "granted"; readonly ticket: Ticket }
  | { readonly kind: "open" }
  | { readonly kind: "refused"; readonly why: string };

interface Known {
  readonly until: number;
  readonly standing: Promise<Standing>;
}

/** Asks a peer; `CheckpointStore.request` fits. */
export type Ask = (
  peer: string | readonly string[],
  protocol: string,
  body: Json,
  options: RequestOptions,
) => Promise<unknown>;

/** The grants that this store was given, by peer and content. */
export class Tickets {
  readonly #access: Access;
  readonly #ask: Ask;
  /** In the order in which they were asked for. */
  readonly #known = new Map<string, Known>();

  constructor(access: Access, ask: Ask) {
    this.#access = access;
    this.#ask = ask;
  }

  /**
   * How it stands with a peer and some content; asks it if that is not known. Never throws.
   *
   * @param own - peer id of this store
   * @param peer - the other's peer id, or its multiaddrs
   * @param hint - about the reason, for the proof
   */
  async at(own: string, peer: string | readonly string[], root: string, hint: Json): Promise<Standing> {
    const key = `${peerIdOf(peer)} ${root}`;
    const known = this.#known.get(key);
    if (known && monotonicMs() < known.until) return known.standing;
    const standing = this.#asked(own, peer, root, hint);
    this.#remember(key, { until: Infinity, standing });
    const { until } = await standing;
    if (this.#known.get(key)?.standing === standing) this.#remember(key, { until, standing });
    return standing;
  }

  /** Forgets what a peer has granted: it no longer knows of it. */
  forget(peer: string | readonly string[], root: string): void {
    this.#known.delete(`${peerIdOf(peer)} ${root}`);
  }

  #remember(key: string, known: Known): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_TICKETS && oldest !== undefined) this.#known.delete(oldest);
  }

  async #asked(
    own: string,
    peer: string | readonly string[],
    root: string,
    hint: Json,
  ): Promise<Standing & { readonly until: number }> {
    const asked = monotonicMs();
    try {
      const proof = await this.#access.prove({ root, peer: own }, hint);
      const bounds = { timeout: ASK_MS, maxBytes: MAX_ACCESS_BYTES };
      const { id, key, seconds } = answer.parse(await this.#ask(peer, ACCESS_PROTOCOL, { root, proof }, bounds));
      const ticket = { id, key: Buffer.from(key, "base64") };
      return { kind: "granted", ticket, until: asked + Math.max(REFUSED_MS, seconds * 1000 - MARGIN_MS) };
    } catch (error) {
      if (error instanceof CheckpointError && error.code === "UNSUPPORTED") {
        return { kind: "open", until: asked + OPEN_MS };
      }
      const why = error instanceof Error ? error.message : String(error);
      return { kind: "refused", why, until: monotonicMs() + REFUSED_MS };
    }
  }
}

/** A peer's id, from itself or from its multiaddrs. */
export function peerIdOf(peer: string | readonly string[]): string {
  const texts = typeof peer === "string" ? [peer] : peer;
  for (const text of texts) {
    const [, id] = /\/p2p\/([A-Za-z0-9]+)(?:$|\/)/.exec(text) ?? [];
    if (id !== undefined) return id;
  }
  return texts.join(",");
}
