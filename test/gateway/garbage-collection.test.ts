import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { codeOf } from "../docs/markdown.ts";
import { basic } from "../support/basic.ts";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import {
  type Caller,
  digestOf,
  manifestOf,
  manifestType,
  pushImage,
  startUpload,
} from "../support/registry-content.ts";
import { runCommand } from "../support/run.ts";

/** The script of docs/maintenance.md, with the real `docker-registry garbage-collect`. */
async function documentedScript(): Promise<string> {
  const page = await readFile(resolve(import.meta.dirname, "../../docs/maintenance.md"), "utf8");
  const [script] = codeOf(page).blocks.filter(({ code }) => code.startsWith("#!/bin/sh"));
  if (script === undefined) throw new Error("docs/maintenance.md has no script");
  return script.code;
}

test("the garbage of a real registry is collected while the gate refuses writes, and nothing of a push is lost", async () => {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-garbage-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const registry = await startDockerRegistryIn(directory);
  onTestFinished(() => registry.close());
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: `http://${registry.address}` },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
      maintenance: { file: "read-only" },
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  onTestFinished(() => gate.close());
  const caller: Caller = { url: gate.url, headers: basic("alice", "alice-password") };
  const get = (path: string) =>
    fetch(`${caller.url}/v2/team/app/${path}`, { headers: { ...caller.headers, Accept: `${manifestType}, */*` } });

  const kept = await pushImage(caller, "team/app", "kept", "a layer that is kept");
  const gone = await pushImage(caller, "team/app", "gone", "a layer that is deleted");
  const deletion = await fetch(`${caller.url}/v2/team/app/manifests/${gone.manifest}`, {
    method: "DELETE",
    headers: caller.headers,
  });
  expect(deletion.status).toBe(202);
  // Of a push that is under way, one blob is there already, and one has begun.
  const content = "a layer of a push that is under way";
  const location = await startUpload(caller, "team/app");
  location.searchParams.set("digest", digestOf(content));
  const begun = await startUpload(caller, "team/app");
  expect((await fetch(location, { method: "PUT", headers: caller.headers, body: content })).status).toBe(201);

  // The programs of the script that need a whole machine: the journal, and the manager of services.
  const programs = join(directory, "bin");
  await mkdir(programs);
  const output = join(directory, "gate.log");
  const stand = async (name: string, script: string): Promise<void> => {
    await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(programs, name), 0o755);
  };
  await stand("journalctl", `cat '${output}'`);
  // It is called before writes are let through again.
  await stand(
    "systemctl",
    `echo "$@" > '${join(directory, "restarted")}'; test -e '${join(gate.directory, "read-only")}'`,
  );
  const script = join(directory, "collect.sh");
  await writeFile(
    script,
    (await documentedScript())
      .replace("/run/registry-gate/read-only", join(gate.directory, "read-only"))
      .replace("/etc/docker/registry/config.yml", join(directory, "config.yml")),
  );
  await writeFile(output, "");
  const environment = { PATH: `${programs}:${process.env.PATH}` };
  const running = runCommand("sh", [script], { environment });
  await gate.logged(({ event }) => event === "no writes in flight");
  const refused = await fetch(begun, { method: "PATCH", headers: caller.headers, body: "more" });
  expect(refused.status).toBe(503);
  expect((await get(`blobs/${kept.blob}`)).status).toBe(200);
  await writeFile(output, gate.output());
  const { code, stdout, stderr } = await running;
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`blob eligible for deletion: ${gone.blob}`);
  expect(await readFile(join(directory, "restarted"), "utf8")).toBe("restart docker-registry\n");

  await gate.logged(({ event, readOnly }) => event === "read-only" && readOnly === false);
  expect(await (await get(`blobs/${kept.blob}`)).text()).toBe("a layer that is kept");
  expect((await get("manifests/kept")).status).toBe(200);
  expect((await get(`blobs/${gone.blob}`)).status).toBe(404);
  // The push that was cut off cannot be finished with what is gone, and succeeds when it is begun again.
  const put = (tag: string) =>
    fetch(`${caller.url}/v2/team/app/manifests/${tag}`, {
      method: "PUT",
      headers: { ...caller.headers, "Content-Type": manifestType },
      body: manifestOf(content),
    });
  expect((await put("cut")).status).toBe(400);
  await pushImage(caller, "team/app", "cut", content);
  expect(await (await get(`blobs/${digestOf(content)}`)).text()).toBe(content);
});
