import { existsSync } from "node:fs";

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where distributions put it. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const EXECUTABLE = PLACES.find((place) => existsSync(place));

/** Why the tests of the application cannot run here; undefined if they can. */
export const missingBrowser =
  EXECUTABLE === undefined
    ? `none of ${PLACES.join(", ")} exists: install one with \`apt-get install -y --no-install-recommends chromium\``
    : undefined;

/** Starts the browser. */
export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** A page, with what went wrong in it: scripts' errors, and what its content security policy refused. */
export interface Watched {
  readonly page: Page;
  readonly wrong: string[];
  readonly close: () => Promise<void>;
}

/** Opens a page that notes what goes wrong in it, and how much its layout shifts. */
export async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) wrong.push(message.text());
  });
  await page.addInitScript(() => {
    const shifts = { sum: 0 };
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
        if (!entry.hadRecentInput) shifts.sum += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  return { page, wrong, close: () => context.close() };
}

/** How much the layout has shifted since the page was opened. */
export async function shiftOf(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as unknown as { shifts: { sum: number } }).shifts.sum);
}
