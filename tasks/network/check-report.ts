import { tmpdir } from "node:os";

import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { openSession, type Session } from "@verai/client/session";
import type { Output } from "../session/output.ts";
import { compareDeployment } from "./compare.ts";
import type { Finding } from "./finding.ts";
import { readParameters } from "./parameters-file.ts";
import { readDeploymentView } from "./deployment-view.ts";

/** What a deployment was found to be, and the block that was looked at. */
export interface DeploymentReport {
  readonly block: number;
  readonly findings: readonly Finding[];
}

/** Compares a deployment with a parameters file. */
export async function checkReport(
  hre: HardhatRuntimeEnvironment,
  session: Session,
  file: string,
): Promise<DeploymentReport> {
  const block = await session.reader.block();
  const asked = await readParameters(file);
  return {
    block: block.number,
    findings: compareDeployment(await readDeploymentView(hre, session, block, asked), asked),
  };
}

/** As {@link checkReport}, of a deployment that was just made. */
export async function checkDeployed(
  hre: HardhatRuntimeEnvironment,
  network: { readonly rpcUrl: string; readonly chainId: number; readonly deployment: string },
  file: string,
): Promise<DeploymentReport> {
  // Nothing is sent: there will be no journals.
  const session = await openSession({ network, fees: { maxFeePerGas: "0", stuckAfter: 30 }, journals: tmpdir() });
  try {
    return await checkReport(hre, session, file);
  } finally {
    session.close();
  }
}

const MARKS = { ok: "ok   ", note: "note ", wrong: "WRONG" } as const;

/** Shows findings and how many are wrong. @returns That number. */
export function showReport(output: Output, findings: readonly Finding[]): number {
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { level, what, says } of findings) output.say(`${MARKS[level]}  ${what.padEnd(width)}  ${says}`);
  const wrong = findings.filter(({ level }) => level === "wrong").length;
  output.say();
  output.say(
    wrong === 0 ? "Nothing is wrong." : `${String(wrong)} of ${String(findings.length)} checks found something wrong.`,
  );
  return wrong;
}
