import type { EndpointEvent } from "@verai/client/provider";
import type { Logger } from "./logger.ts";

/** Logs what happens to RPC endpoints, by their host alone. */
export function endpointLog(logger: Logger): (event: EndpointEvent) => void {
  return ({ kind, endpoint, message }) => {
    if (kind === "returned") logger.info({ endpoint }, message);
    else logger.warn({ endpoint }, message);
  };
}
