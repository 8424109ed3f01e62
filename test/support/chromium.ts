import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const program = "/usr/bin/chromium";

/** Starts Debian's Chromium without a window. It speaks to nobody but whom it is sent to. */
export async function startChromium(): Promise<Browser> {
  if (!existsSync(program)) throw new Error(`${program} is missing: install the Debian package chromium`);
  return chromium.launch({
    executablePath: program,
    // A machine that runs all tests at once takes its time.
    timeout: 90_000,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
}
