/** Times of all that a node copies when others ask it to, whatever it is: checkpoints, results, specs, inputs. Milliseconds. */

/** How long a requester waits for an answer before it is told how far the copy is. */
export const WAIT_MS = 2_000;
/** Time for a whole answer: looking at the chain and signing, beyond the wait. */
export const ANSWER_MS = WAIT_MS + 20_000;
/** Time for one copy, and how long nothing may arrive. */
export const COPY_MS = 30 * 60_000;
export const STALL_MS = 15_000;
