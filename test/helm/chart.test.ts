import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { gateCommand } from "../support/gate.ts";
import { runCommand } from "../support/run.ts";
import { chart } from "./chart.ts";
import { combinations, refused } from "./combinations.ts";
import { danglingReferences } from "./dangling-references.ts";
import { type Manifest, named, ofKind, valueAt } from "./manifest.ts";
import { type ExistingObjects, makeExistingObjects, writePodFiles } from "./pod-files.ts";
import { helm, type Rendering, renderChart } from "./render.ts";

let existing: ExistingObjects;
const rendered = new Map<string, Rendering>();

beforeAll(async () => {
  existing = await makeExistingObjects();
  for (const [what, values] of Object.entries(combinations)) rendered.set(what, await renderChart(values));
}, 300_000);

function rendering(what: string): Rendering {
  const found = rendered.get(what);
  if (found === undefined) throw new Error(`not rendered: ${what}`);
  return found;
}

function gateOf(manifests: readonly Manifest[]): Manifest {
  const [deployment] = ofKind(manifests, "Deployment");
  if (deployment === undefined) throw new Error("no Deployment");
  return deployment;
}

describe.each(Object.keys(combinations))("the chart with %s", (what) => {
  it("renders what Kubernetes, the Gateway API and the Prometheus operator accept", async () => {
    expect(await runCommand("kubernetes-check", [], { input: rendering(what).text })).toMatchObject({
      code: 0,
      stdout: "",
    });
  });

  it("refers to nothing that is not there", () => {
    expect(danglingReferences(rendering(what).manifests, existing)).toEqual([]);
  });

  it("makes a configuration that the gate accepts", async () => {
    const { manifests } = rendering(what);
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-pod-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const pod = gateOf(manifests).at("spec", "template", "spec");
    const environment = await writePodFiles(pod, directory, { manifests, existing });
    const configuration = join(directory, "registry-gate.yaml");
    const [program, ...parameters] = gateCommand;
    const { code, stdout, stderr } = await runCommand(program, [...parameters, "check", "--config", configuration], {
      environment: { ...environment, NODE_NO_WARNINGS: "1" },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining("error") });
    expect(stdout).toMatch(/: ok\n$/);
  });

  it("gives every pod no more rights than it needs", () => {
    for (const pod of podsOf(rendering(what).manifests)) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
      });
      expect(valueAt(pod, ["containers", 0])).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { requests: { cpu: expect.any(String), memory: expect.any(String) } },
      });
    }
  });

  it("waits for requests that have begun before it kills", () => {
    const { manifests } = rendering(what);
    const deployment = gateOf(manifests);
    const configuration: unknown = parse(
      String(named(manifests, "ConfigMap", deployment.name).at("data", "registry-gate.yaml")),
    );
    const delay = secondsOf(valueAt(configuration, ["admin", "drainDelay"]));
    const timeout = secondsOf(valueAt(configuration, ["listen", "drainTimeout"]));
    expect(deployment.at("spec", "template", "spec", "terminationGracePeriodSeconds")).toBe(delay + timeout + 10);
  });
});

describe("helm lint --strict", () => {
  it.each(Object.entries(combinations))("finds no fault with %s", async (_, values) => {
    expect(await helm(["lint", "--strict", chart], values)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("0 chart(s) failed"),
    });
  });
});

describe("the chart refuses", () => {
  it.each(refused)("%s, and says what to do", async (_, values, message) => {
    const { code, stderr } = await helm(["template", "gate", chart], values);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      typeof message === "string" ? new RegExp(message.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")) : message,
    );
  });
});

describe("the checks of this test", () => {
  const check = (input: string) => runCommand("kubernetes-check", [], { input });

  it("find a field that Kubernetes does not know", async () => {
    const text = rendering("the defaults").text.replace("revisionHistoryLimit:", "revisionHistoryLimits:");
    expect(await check(text)).toMatchObject({ code: 1, stdout: expect.stringContaining("revisionHistoryLimits") });
  });

  it("find a value of the wrong type, a key given twice and an unknown kind", async () => {
    const text = rendering("the defaults").text;
    expect(await check(text.replace("replicas: 2", "replicas: two"))).toMatchObject({ code: 1 });
    expect(await check(text.replace("replicas: 2", "replicas: 2\n  replicas: 2"))).toMatchObject({ code: 1 });
    expect(await check(text.replace("kind: PodDisruptionBudget", "kind: PodDisruption"))).toMatchObject({ code: 1 });
  });

  it("find a reference to nothing", () => {
    const { manifests } = rendering("a directory whose password is in a Secret that exists");
    expect(danglingReferences(manifests, {})).toContain("Deployment gate-registry-gate: no Secret existing-ldap");
  });
});

function podsOf(manifests: readonly Manifest[]): readonly unknown[] {
  return [
    ...[...ofKind(manifests, "Deployment"), ...ofKind(manifests, "StatefulSet")].map((each) =>
      each.at("spec", "template", "spec"),
    ),
    ...ofKind(manifests, "Pod").map((each) => each.at("spec")),
  ];
}

function secondsOf(duration: unknown): number {
  const [, number = "", unit = ""] = /^(\d+)([smh])$/.exec(String(duration)) ?? [];
  const seconds = { s: 1, m: 60, h: 3600 }[unit];
  if (seconds === undefined) throw new TypeError(`not a duration: ${duration}`);
  return Number(number) * seconds;
}
