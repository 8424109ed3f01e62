import { beforeAll, describe, expect, it } from "vitest";
import { type Manifest, ofKind } from "./manifest.ts";
import { mayConnect, type Pod } from "./network-policy.ts";
import { renderChart } from "./render.ts";

const namespace = "registry";
let byDefault: readonly Manifest[];
let withIngress: readonly Manifest[];
let withLoadBalancer: readonly Manifest[];
beforeAll(async () => {
  byDefault = (await renderChart({})).manifests;
  withIngress = (await renderChart({ ingress: { enabled: true, host: "registry.example.com" } })).manifests;
  withLoadBalancer = (await renderChart({ service: { type: "LoadBalancer" } })).manifests;
});

function podOf(manifests: readonly Manifest[], kind: string): Pod {
  const [owner] = ofKind(manifests, kind);
  if (owner === undefined) throw new Error(`no ${kind}`);
  const path = kind === "Pod" ? [] : ["spec", "template"];
  return { namespace, labels: owner.texts(...path, "metadata", "labels") };
}

const neighbour: Pod = { namespace, labels: { app: "something" } };
const stranger: Pod = { namespace: "default", labels: { "app.kubernetes.io/component": "gate" } };
const ingressController: Pod = { namespace: "ingress-nginx", labels: {} };
const prometheus: Pod = { namespace: "monitoring", labels: {} };

describe("the network policy of the registry", () => {
  const connects = (from: Pod): boolean =>
    mayConnect(byDefault, from, { ...podOf(byDefault, "StatefulSet"), port: 5000 }, namespace);

  it("lets the gate in", () => {
    expect(connects(podOf(byDefault, "Deployment"))).toBe(true);
  });

  it("lets nobody else in", () => {
    const others = [neighbour, stranger, ingressController, prometheus, podOf(byDefault, "Pod")];
    expect(others.filter(connects)).toEqual([]);
  });

  it("lets the registry connect to nowhere", () => {
    const [policy] = ofKind(byDefault, "NetworkPolicy").filter(({ name }) => name.endsWith("-registry"));
    expect(policy?.list("spec", "policyTypes")).toContain("Egress");
    expect(policy?.list("spec", "egress")).toEqual([]);
  });
});

describe("the network policy of the gate", () => {
  const connects = (manifests: readonly Manifest[], from: Pod, port: number): boolean =>
    mayConnect(manifests, from, { ...podOf(manifests, "Deployment"), port }, namespace);

  it("lets the pods of its namespace to requests alone, where nothing stands in front", () => {
    expect(connects(byDefault, neighbour, 5043)).toBe(true);
    expect(connects(byDefault, neighbour, 9043)).toBe(false);
    expect(connects(byDefault, stranger, 5043)).toBe(false);
  });

  it("lets the Ingress alone to requests, where there is one", () => {
    expect(connects(withIngress, ingressController, 5043)).toBe(true);
    expect(connects(withIngress, neighbour, 5043)).toBe(false);
    expect(connects(withIngress, ingressController, 9043)).toBe(false);
  });

  it("lets everybody to requests behind a load balancer, and to nothing else", () => {
    expect(connects(withLoadBalancer, stranger, 5043)).toBe(true);
    expect(connects(withLoadBalancer, stranger, 9043)).toBe(false);
  });

  it("lets Prometheus to metrics alone", () => {
    expect(connects(byDefault, prometheus, 9043)).toBe(true);
    expect(connects(byDefault, prometheus, 5043)).toBe(false);
  });

  it("lets the pod of helm test to both", () => {
    const test = podOf(byDefault, "Pod");
    expect(connects(withIngress, test, 5043) && connects(withIngress, test, 9043)).toBe(true);
  });
});
