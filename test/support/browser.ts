import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
const isWanted = existsSync(CHROMIUM) || process.env.REQUIRE_BROWSER === '1';

/** Without the sandbox, which does not run as root, and without Chromium's own network traffic. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A suite that needs Chromium. Skipped, with a line that says so, where it is not installed. */
export function describeBrowser(name: string, suite: () => void): void {
  if (!isWanted)
    process.stderr.write(`Skipped test/browser: Chromium is not at ${CHROMIUM}. Set CHROMIUM_BIN to its path.\n`);
  (isWanted ? describe : describe.skip)(name, suite);
}

/** Starts Chromium without a window. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}
