import { type Browser, chromium } from "playwright-core";
import { startable } from "../programs/startable.ts";

/** Starts Debian's Chromium without a window. It speaks to nobody but whom it is sent to. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: startable("chromium"),
    // A machine that runs all tests at once takes its time.
    timeout: 90_000,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
}
