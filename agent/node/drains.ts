import type { Node } from "@verai/client/entities";
import { monotonicMs } from "@verai/system/clock";

/** Milliseconds after which a drain that was to be sent, and has not been seen, will no longer come. */
const SEND_AGAIN_MS = 10 * 60_000;

/**
 * Tells an agent's own drains, which it ends itself, from those of the owner, which it leaves alone while it runs. What
 * it finds when it starts counts as its own: it drained when it was stopped.
 */
export class Drains {
  #own = true;
  /** When a drain of its own was sent that no look at the chain has shown yet, milliseconds; whether it arrives may be unknown. */
  #sentAt: number | undefined;

  /** The agent is about to drain the node. @param now Milliseconds. */
  begin(now = monotonicMs()): void {
    this.#own = true;
    this.#sentAt = now;
  }

  /** @returns Whether the owner drains the node, as far as a look at the chain shows. */
  isOwners({ status }: Pick<Node, "status">, now = monotonicMs()): boolean {
    if (status === "draining" || now - (this.#sentAt ?? now) > SEND_AGAIN_MS) this.#sentAt = undefined;
    // An endpoint may lag behind: what it says is of before.
    if (status !== "draining" && this.#sentAt === undefined) this.#own = false;
    return status === "draining" && !this.#own;
  }
}
