import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { redisState } from "@registry-gate/state";
import { expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { startRedis } from "../../../test/support/redis.ts";

test("speaks TLS with a Redis whose authority Node trusts, and with no other", async () => {
  const certificate = await makeCertificate();
  const redis = await startRedis([], certificate);
  onTestFinished(() => redis.close());
  const program = `
    import { redisState } from "@registry-gate/state";
    const store = redisState({ url: process.argv[1] });
    await store.set("key", "value");
    console.log(await store.get("key"));
    await store.close();
  `;
  const trusting = promisify(execFile)(
    process.execPath,
    ["--conditions=development", "--input-type=module", "--eval", program, redis.url],
    { cwd: import.meta.dirname, env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.authority } },
  );
  expect(await trusting).toEqual({ stdout: "value\n", stderr: "" });
  const suspicious = redisState({ url: redis.url });
  onTestFinished(() => suspicious.close());
  await expect(suspicious.check()).rejects.toThrow(/certificate/);
});
