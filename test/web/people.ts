import type { BrowserContext, Locator, Page } from "playwright-core";

import { AxeBuilder } from "@axe-core/playwright";

/** Time for an action to be done: a machine may be busy with other tests. */
const DONE_MS = 120_000;

/** A page of its own at the account; what goes wrong in it is noted. */
export async function openAccount(context: BrowserContext, address: string): Promise<{ page: Page; wrong: string[] }> {
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${address}#/account`);
  return { page, wrong };
}

/** The part of a page with an action's button, what it says and asks. */
export function actionOf(page: Page, label: string) {
  return page
    .locator(".act")
    .filter({ has: page.getByRole("button", { name: label, exact: true }) })
    .first();
}

/** Does what a button offers, as people do. @returns What it was said to cost, with what else was said before. */
export async function act(page: Page, label: string): Promise<string> {
  const one = actionOf(page, label);
  const before = Number(await page.getByTestId("done").getAttribute("data-count", { timeout: DONE_MS }));
  await one.getByRole("button", { name: label, exact: true }).click({ timeout: DONE_MS });
  const failed = one.getByRole("alert");
  const orFailed = async (wanted: Locator) => {
    await wanted.or(failed).first().waitFor({ timeout: DONE_MS });
    if (await failed.isVisible()) throw new Error(`${label}: ${await failed.innerText()}`);
  };
  await orFailed(one.getByTestId("cost"));
  const said = (await one.locator(".note").first().textContent()) ?? "";
  await one.getByRole("button", { name: "Confirm" }).click();
  // The button itself may be gone by then: an accepted lease is no longer in the list.
  await orFailed(page.locator(`[data-testid=done][data-count="${String(before + 1)}"]`));
  return said;
}

/** A device with passkeys. */
export interface Device {
  /** Ids of its passkeys, in the order in which they were made. */
  readonly credentials: () => Promise<string[]>;
  /** Loses one of them. */
  readonly remove: (credentialId: string) => Promise<void>;
}

/** A device that makes passkeys and signs with them, its user always there. */
export async function addAuthenticator(context: BrowserContext, page: Page): Promise<Device> {
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      ...{ protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true },
      ...{ isUserVerified: true, automaticPresenceSimulation: true },
    },
  });
  const made: string[] = [];
  devtools.on("WebAuthn.credentialAdded", ({ credential }) => made.push(credential.credentialId));
  return {
    credentials: async () => {
      const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
      const there = new Set(credentials.map(({ credentialId }) => credentialId));
      return made.filter((id) => there.has(id));
    },
    remove: async (credentialId) => {
      await devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId });
    },
  };
}

/** Serious findings about a page's accessibility. */
export async function seriousFindings(page: Page): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))]);
}
