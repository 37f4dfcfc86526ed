import { DrmpError } from "@verai/errors/drmp-error";

/** Why the devnet cannot start, or an order to it cannot be carried out. The message names the remedy. */
export class DevnetError extends DrmpError {
  override readonly name = "DevnetError";
}
