import { ERRORS_ABI } from "./generated/abis.ts";
import { GOVERNANCE } from "./internal/messages/governance.ts";
import { FAILOVER } from "./internal/messages/failover.ts";
import { AUDITS } from "./internal/messages/audits.ts";
import { LEASES } from "./internal/messages/leases.ts";
import { ACCOUNTS } from "./internal/messages/accounts.ts";
import { MONEY } from "./internal/messages/money.ts";
import { NODES } from "./internal/messages/nodes.ts";
import { VRF } from "./internal/messages/vrf.ts";
import { ROUNDS } from "./internal/messages/rounds.ts";
import { TASKS } from "./internal/messages/tasks.ts";
import { TELEMETRY } from "./internal/messages/telemetry.ts";
import { Args, type ErrorMessages } from "./internal/messages/message.ts";

/** Every sentence, by the error's signature. */
export const ERROR_MESSAGES: ErrorMessages = {
  ...NODES,
  ...TASKS,
  ...LEASES,
  ...AUDITS,
  ...FAILOVER,
  ...ROUNDS,
  ...MONEY,
  ...ACCOUNTS,
  ...GOVERNANCE,
  ...VRF,
  ...TELEMETRY,
};

/** What a contract's error means. */
export interface ErrorDescription {
  /** Name of the error, such as `AskNotOnTick`. */
  readonly name: string;
  /** Stable and meant for programs: `ASK_NOT_ON_TICK`. */
  readonly code: string;
  /** For people: what happened, the values, and the remedy. */
  readonly message: string;
  /** Whether the same call may succeed later although nobody changes anything. */
  readonly retryable: boolean;
  /** The error's arguments by name. */
  readonly args: Readonly<Record<string, unknown>>;
}

interface ErrorInputs {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
}

const BY_SIGNATURE: ReadonlyMap<string, ErrorInputs> = new Map(
  (ERRORS_ABI as readonly ErrorInputs[]).map((error) => [
    `${error.name}(${error.inputs.map(({ type }) => type).join(",")})`,
    error,
  ]),
);

/**
 * Tells in a sentence what a contract's error means. Pure; it takes what any library decodes with the errors' ABI.
 *
 * @param error Its name, or its signature where two errors share a name.
 * @param values Its arguments in their order.
 */
export function describeError(error: string, values: readonly unknown[] = []): ErrorDescription {
  const known = BY_SIGNATURE.get(error);
  const [signature, { name, inputs }] = known
    ? [error, known]
    : ([...BY_SIGNATURE].find(([, each]) => each.name === error && each.inputs.length === values.length) ?? [
        error,
        { name: error, inputs: values.map((_, i) => ({ name: String(i), type: "" })) },
      ]);
  const args = new Args(
    inputs.map((input) => input.name),
    values,
  );
  const sentence = ERROR_MESSAGES[signature];
  return {
    name,
    code: codeOf(name),
    message: sentence?.say(args) ?? `The contract refused: ${name}(${values.map(String).join(", ")}).`,
    retryable: sentence?.retryable === true,
    args: args.plain(),
  };
}

/** `AskNotOnTick` → `ASK_NOT_ON_TICK`; `ERC20InvalidSender` → `ERC20_INVALID_SENDER`. */
export function codeOf(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();
}
