import { decodeBytes32String, formatEther, getAddress, isAddress } from "ethers";

import { LOW_SUBSCRIPTION } from "@verai/protocol/money/reserves";
import { formatVer } from "@verai/protocol/money/ver";
import { formatDuration } from "../session/duration.ts";
import { expected, type Finding } from "./finding.ts";
import type { DeploymentParameters } from "./parameters-file.ts";

/** What the chain says of a deployment. */
export interface DeploymentView {
  readonly oracle: {
    readonly coordinator: string;
    readonly keyHash: string;
    readonly callbackGasLimit: number;
    readonly confirmations: number;
    readonly subscriptionId: bigint;
    readonly seeds: string;
    /** Undefined if the coordinator knows no such subscription, or the deployment file names no coordinator. */
    readonly subscription:
      | { readonly nativeBalance: bigint; readonly owner: string; readonly consumers: readonly string[] }
      | undefined;
  };
  readonly roles: {
    /** Undefined where the deployment names no access manager. */
    readonly held: {
      readonly role: string;
      readonly account: string;
      readonly holds: boolean;
      readonly delay: number;
    }[];
    readonly seedsOwner: string;
    readonly manager: string | undefined;
  };
  /** Governed parameters as they are now, by the names that the contracts use. */
  readonly governed: ReadonlyMap<string, { readonly value: number; readonly min: number; readonly max: number }>;
  readonly classes: readonly { readonly name: string; readonly tickSize: number }[];
  /** Terms of audits as they are now, and where the core sends what audits decide. */
  readonly audits: {
    readonly terms: DeploymentParameters["auditTerms"];
    /** Address of the audits, and the one that leases take orders of. */
    readonly address: string;
    readonly named: string;
  };
  readonly uninitialised: readonly string[];
  /** Contracts whose code is not what this version compiles to. */
  readonly otherCode: readonly string[];
  readonly totals: { readonly booked: bigint; readonly held: bigint; readonly bountyPool: bigint };
  readonly intakePaused: boolean;
}

/** Compares a deployment with what it was asked to be. Pure. */
export function compareDeployment(view: DeploymentView, asked: DeploymentParameters): Finding[] {
  return [
    ...compareCode(view),
    ...compareOracle(view.oracle, asked),
    ...compareRoles(view.roles, asked),
    ...compareGoverned(view, asked),
    ...compareClasses(view, asked),
    ...compareAudits(view, asked),
    ...compareMoney(view),
  ];
}

function compareCode({ uninitialised, otherCode }: DeploymentView): Finding[] {
  return [
    expected(
      "wiring",
      uninitialised.length === 0,
      "every module is wired",
      `not wired: ${uninitialised.join(", ")}; go on with the deployment`,
    ),
    expected(
      "code",
      otherCode.length === 0,
      "every contract is what this version compiles to",
      `not what this version compiles to: ${otherCode.join(", ")}; check out the version that was deployed (docs/reference/compatibility.md)`,
    ),
  ];
}

function compareOracle(oracle: DeploymentView["oracle"], asked: DeploymentParameters): Finding[] {
  const { subscription, subscriptionId } = oracle;
  const found: Finding[] = [];
  if (asked.vrfCoordinator !== undefined) {
    found.push(
      expected(
        "oracle: coordinator",
        same(oracle.coordinator, asked.vrfCoordinator),
        oracle.coordinator,
        `${oracle.coordinator} is asked, where the file names ${asked.vrfCoordinator}`,
      ),
    );
  }
  found.push(
    expected(
      "oracle: key hash",
      oracle.keyHash.toLowerCase() === asked.vrfKeyHash.toLowerCase(),
      oracle.keyHash,
      `${oracle.keyHash} is asked with, where the file names ${asked.vrfKeyHash}`,
    ),
    expected(
      "oracle: callback",
      oracle.callbackGasLimit === asked.vrfCallbackGasLimit && oracle.confirmations === asked.vrfConfirmations,
      `${String(oracle.callbackGasLimit)} gas after ${String(oracle.confirmations)} confirmations`,
      `${String(oracle.callbackGasLimit)} gas after ${String(oracle.confirmations)} confirmations, where the file says ${String(asked.vrfCallbackGasLimit)} after ${String(asked.vrfConfirmations)}`,
    ),
  );
  if (!subscription) {
    found.push({
      level: "wrong",
      what: "oracle: subscription",
      says: `the coordinator knows no subscription ${String(subscriptionId)}, or the deployment file does not name it`,
    });
    return found;
  }
  found.push(
    expected(
      "oracle: consumer",
      subscription.consumers.some((consumer) => same(consumer, oracle.seeds)),
      `${oracle.seeds} is registered`,
      `${oracle.seeds} is not a consumer of subscription ${String(subscriptionId)}: its owner ${subscription.owner} has to call addConsumer`,
    ),
    expected(
      "oracle: funds",
      subscription.nativeBalance >= LOW_SUBSCRIPTION,
      `${formatEther(subscription.nativeBalance)} ETH`,
      `only ${formatEther(subscription.nativeBalance)} ETH left: call fundSubscriptionWithNative(${String(subscriptionId)}) on ${oracle.coordinator}`,
    ),
    same(subscription.owner, asked.governance)
      ? { level: "ok", what: "oracle: owner", says: `${subscription.owner}, which is governance` }
      : {
          level: "note",
          what: "oracle: owner",
          says: `${subscription.owner} owns the subscription; governance has to call acceptSubscriptionOwnerTransfer(${String(subscriptionId)})`,
        },
  );
  return found;
}

function compareRoles(roles: DeploymentView["roles"], asked: DeploymentParameters): Finding[] {
  const { manager, seedsOwner, held } = roles;
  if (manager === undefined)
    return [{ level: "note", what: "roles", says: "the deployment file names no access manager" }];
  const delays: Readonly<Record<string, number>> = { admin: asked.adminDelay, parameters: asked.parameterDelay };
  return [
    expected(
      "oracle: seeds' owner",
      same(seedsOwner, manager),
      "the access manager",
      `${seedsOwner}, where it should be the access manager ${manager}`,
    ),
    ...held.map(({ role, account, holds, delay }): Finding => {
      // Kept apart: the library's type guard would take the text away from the message.
      const named: boolean = isAddress(account);
      if (!named) {
        return {
          level: "note",
          what: `role: ${role}`,
          says: `the file does not say who should hold it, but ${account}`,
        };
      }
      const wanted = delays[role] ?? 0;
      return expected(
        `role: ${role}`,
        holds && delay === wanted,
        `${account}${delay > 0 ? `, after ${formatDuration(delay)}` : ""}`,
        holds
          ? `${account} may act after ${formatDuration(delay)}, where the file says ${formatDuration(wanted)}`
          : `${account}, whom the file names, does not hold it`,
      );
    }),
  ];
}

function compareGoverned({ governed }: DeploymentView, asked: DeploymentParameters): Finding[] {
  const found: Finding[] = [];
  for (const [name, { value, min, max }] of asked.governed) {
    const now = governed.get(name);
    if (!now)
      found.push({ level: "wrong", what: `parameter: ${name}`, says: "the chain does not know it: another version" });
    else if (now.min !== min || now.max !== max) {
      found.push({
        level: "wrong",
        what: `parameter: ${name}`,
        says: `bounds ${String(now.min)} to ${String(now.max)}, where the file says ${String(min)} to ${String(max)}`,
      });
    } else if (now.value !== value) {
      found.push({
        level: "note",
        what: `parameter: ${name}`,
        says: `${String(now.value)}; the file says ${String(value)}`,
      });
    }
  }
  if (found.length === 0) {
    found.push({ level: "ok", what: "parameters", says: `all ${String(asked.governed.size)} are as the file says` });
  }
  return found;
}

function compareClasses({ classes }: DeploymentView, asked: DeploymentParameters): Finding[] {
  const differing = asked.classes.filter(
    ({ name, tickSize }, id) => classes[id]?.name !== decodeBytes32String(name) || classes[id]?.tickSize !== tickSize,
  );
  const more = classes.length - asked.classes.length;
  return [
    expected(
      "classes",
      differing.length === 0,
      `${String(classes.length)}${more > 0 ? `, ${String(more)} of them added since` : ""}`,
      `not as in the file: ${differing.map(({ name }) => decodeBytes32String(name)).join(", ")}`,
    ),
  ];
}

function compareAudits({ audits }: DeploymentView, asked: DeploymentParameters): Finding[] {
  const names = Object.keys(asked.auditTerms) as (keyof typeof asked.auditTerms)[];
  const differing = names.filter((name) => audits.terms[name] !== asked.auditTerms[name]);
  const found = differing.map((name): Finding => ({
    level: "note",
    what: `audits: ${name}`,
    says: `${String(audits.terms[name])}; the file says ${String(asked.auditTerms[name])}`,
  }));
  if (found.length === 0) found.push({ level: "ok", what: "audits: terms", says: "all are as the file says" });
  const { address, named } = audits;
  return [
    expected("audits", same(address, named), `end leases, at ${address}`, `${named} ends leases, not ${address}`),
    ...found,
  ];
}

function compareMoney({ totals, intakePaused }: DeploymentView): Finding[] {
  const { booked, held, bountyPool } = totals;
  return [
    expected(
      "vault",
      held >= booked,
      `holds ${formatVer(held)} VER, ${held === booked ? "to the wei what it owes" : `${formatVer(held - booked)} more than it owes`}`,
      `holds ${formatVer(held)} VER where it owes ${formatVer(booked)}: stop using it, and report this`,
    ),
    bountyPool > 0n
      ? { level: "ok", what: "bounty pool", says: `${formatVer(bountyPool)} VER` }
      : { level: "note", what: "bounty pool", says: "empty: keepers earn nothing; anyone can call fundBountyPool" },
    intakePaused
      ? { level: "note", what: "intake", says: "paused by the guardian: no new tasks and rounds" }
      : { level: "ok", what: "intake", says: "open" },
  ];
}

function same(a: string, b: string): boolean {
  return isAddress(a) && isAddress(b) && getAddress(a) === getAddress(b);
}
