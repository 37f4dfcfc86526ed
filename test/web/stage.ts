import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Browser, BrowserContext, Page } from "playwright-core";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSigner } from "@verai/client/keys";
import { answer } from "@verai/client/readers";
import { openSession, type Session } from "@verai/client/session";
import { buildSite, DIST } from "@verai/web/server/build";
import { devnetSite } from "@verai/web/server/devnet-site";
import { type Served, serveSite } from "@verai/web/server/serve";
import type { Site } from "@verai/web/server/site";
import { launch, missingBrowser } from "./chromium.ts";
import { startDevnet, type TestDevnet } from "./devnet.ts";
import { injectedWallet } from "./injected-wallet.ts";
import { openAccount } from "./people.ts";

/** What tests of the application are skipped for, and how long each may take. */
export const options = { skip: missingBrowser ?? false, timeout: 600_000 };
/** Time for a step to be done: a machine may be busy with other tests. */
export const WAIT = { timeout: 120_000 };
/** What would run, or be shown, if a text were taken for markup. */
export const MARKUP = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;

/** What tests of the application stand on: a devnet of real processes, and a real browser to which the application is served. */
export interface Stage {
  readonly devnet: TestDevnet;
  /** The devnet's chain, as the tests look at it themselves. */
  readonly session: Session;
  readonly browser: Browser;
  readonly site: Site;
  readonly served: Served;
  readonly close: () => Promise<void>;
}

/** Starts all of it; if something fails, what was started is stopped. */
export async function openStage(): Promise<Stage> {
  const started: (() => unknown)[] = [];
  const close = async () => {
    for (const stop of started.splice(0).toReversed()) await stop();
  };
  try {
    await buildSite();
    const browser = await launch();
    started.push(() => browser.close());
    const devnet = await startDevnet();
    started.push(devnet.stop);
    const site = await devnetSite(devnet.state);
    const served = await serve(site);
    started.push(served.close);
    const { rpcUrl, chainId, deployment } = devnet.state;
    const session = await openSession({
      network: { rpcUrl, chainId, deployment },
      fees: { maxFeePerGas: "100", stuckAfter: 30, perHour: "100" },
      journals: join(devnet.folder, "test-journals"),
    });
    started.push(session.close);
    return { devnet, session, browser, site, served, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Serves a site under a host with a name, which passkeys need. */
export async function serve(site: Site): Promise<Served> {
  const { url, close } = await serveSite(DIST, site, { host: "localhost", port: 0 });
  return { url: url.replace("127.0.0.1", "localhost"), close };
}

/** Does something in a browser of its own whose wallet has a test account; what goes wrong in its pages fails the test. */
export async function withWallet(
  { devnet, browser, served }: Stage,
  testAccount: number,
  work: (page: Page, address: string, context: BrowserContext) => Promise<void>,
  url = served.url,
): Promise<void> {
  const { address } = await openSigner({ testAccount }, LOCAL_CHAIN_ID);
  // A wallet's own endpoint is no matter of the page's policy: an extension asks it from outside of the page.
  const context = await browser.newContext({ bypassCSP: url !== served.url });
  await context.addInitScript({ content: injectedWallet(devnet.state.rpcUrl, address, LOCAL_CHAIN_ID) });
  try {
    const { page, wrong } = await openAccount(context, url);
    const wallet = page.getByRole("button", { name: "Test Wallet" });
    await wallet.waitFor(WAIT);
    assert.equal(await wallet.count(), 1, "announced and injected, it is one");
    assert.equal(await page.getByRole("button", { name: "Injected" }).count(), 0);
    await wallet.click();
    await page.getByTestId("account").getByText(address).waitFor(WAIT);
    await work(page, address, context);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

/** How many requests to send something a page's wallet has had. */
export async function sentBy(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { testWallet: { sent: string[] } }).testWallet.sent.length);
}

/** How many tasks there are; the newest one has this number. */
export async function taskCount({ session }: Stage): Promise<number> {
  return Number(await answer(session.contracts.tasks.taskCount()));
}

/** A task as the chain has it; the newest one if none is named. */
export async function taskOf(stage: Stage, id?: number) {
  const { reader } = stage.session;
  const task = await reader.task(await reader.block(), id ?? (await taskCount(stage)));
  return task ?? assert.fail(`there is no task ${String(id)}`);
}

/** The leases of a task. */
export async function leasesOf({ session }: Stage, taskId: number) {
  const leases = await session.reader.leases(await session.reader.block());
  return leases.filter((lease) => lease.taskId === taskId);
}

/** Looks again and again, until it finds what it looks for. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, ms = 180_000): Promise<T> {
  for (const end = performance.now() + ms; performance.now() < end; await delay(500)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`${what} has not come`);
}

/** Asks the simulated chain itself. */
export async function rpc({ devnet }: Stage, method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const answered = await fetch(devnet.state.rpcUrl, { method: "POST", headers, body });
  const { error, result } = (await answered.json()) as { error?: { message: string }; result: unknown };
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}
