import { listAt, type Manifest, matches, ofKind, valueAt } from "./manifest.ts";
import type { ExistingObjects } from "./pod-files.ts";

/** What the combinations name and nobody has to have: pull secrets and classes are of the cluster. */
const claims = new Set(["existing-state", "existing-images"]);

/**
 * References within a release that lead nowhere: Secrets, config maps, claims, service accounts, volumes, ports, the pods of
 * a selector, and the targets of policies and routes. One line each.
 */
export function danglingReferences(manifests: readonly Manifest[], existing: ExistingObjects): readonly string[] {
  const faults: string[] = [];
  const has = (kind: string, name: unknown): boolean =>
    `${kind} ${name}` in existing || manifests.some((each) => each.kind === kind && each.name === name);
  const pods = podTemplates(manifests);
  for (const { owner, spec } of pods) {
    const complain = (what: string): void => void faults.push(`${owner.kind} ${owner.name}: ${what}`);
    for (const [kind, name] of referencesOf(spec)) if (!has(kind, name)) complain(`no ${kind} ${name}`);
    for (const fault of podFaults(spec)) complain(fault);
    const account = valueAt(spec, ["serviceAccountName"]);
    if (account !== undefined && account !== "own" && !has("ServiceAccount", account))
      complain(`no account ${account}`);
  }
  for (const service of ofKind(manifests, "Service")) {
    const chosen = pods.filter(({ labels }) => matches(service.at("spec", "selector"), labels));
    if (chosen.length !== 1) faults.push(`Service ${service.name}: selects ${chosen.length} pods`);
    for (const port of service.list("spec", "ports")) {
      const target = valueAt(port, ["targetPort"]);
      const names = chosen.flatMap(({ spec }) => portNames(spec));
      if (!names.includes(target)) faults.push(`Service ${service.name}: no port ${target}`);
    }
  }
  for (const policy of [...ofKind(manifests, "NetworkPolicy"), ...ofKind(manifests, "PodDisruptionBudget")]) {
    const selector = policy.at("spec", "podSelector", "matchLabels") ?? policy.at("spec", "selector", "matchLabels");
    const chosen = pods.filter(({ labels }) => matches(selector, labels));
    if (chosen.length !== 1) faults.push(`${policy.kind} ${policy.name}: selects ${chosen.length} pods`);
  }
  for (const monitor of ofKind(manifests, "ServiceMonitor")) {
    const chosen = ofKind(manifests, "Service").filter((service) =>
      matches(monitor.at("spec", "selector", "matchLabels"), service.texts("metadata", "labels")),
    );
    const ports = chosen.flatMap((service) => service.list("spec", "ports").map((port) => valueAt(port, ["name"])));
    const wanted = monitor.list("spec", "endpoints").map((endpoint) => valueAt(endpoint, ["port"]));
    if (chosen.length !== 1 || !wanted.every((port) => ports.includes(port)))
      faults.push(`ServiceMonitor ${monitor.name}: finds no port`);
  }
  for (const scaler of ofKind(manifests, "HorizontalPodAutoscaler")) {
    const target = scaler.texts("spec", "scaleTargetRef");
    if (!has(String(target.kind), target.name)) faults.push(`${scaler.kind} ${scaler.name}: no ${target.name}`);
  }
  for (const [owner, name, port] of backendsOf(manifests)) {
    const service = manifests.find((each) => each.kind === "Service" && each.name === name);
    const ports = service?.list("spec", "ports").flatMap((each) => [valueAt(each, ["name"]), valueAt(each, ["port"])]);
    if (ports?.includes(port) !== true) faults.push(`${owner}: no Service ${name} with the port ${port}`);
  }
  return faults;
}

interface PodTemplate {
  readonly owner: Manifest;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

function podTemplates(manifests: readonly Manifest[]): readonly PodTemplate[] {
  return manifests.flatMap((owner) => {
    const isPod = owner.kind === "Pod";
    const path = isPod ? [] : ["spec", "template"];
    const spec = owner.at(...path, "spec");
    if (!isPod && owner.at("spec", "template") === undefined) return [];
    return [{ owner, labels: owner.texts(...path, "metadata", "labels"), spec }];
  });
}

/** Kind and name of whatever a pod reads. */
function referencesOf(spec: unknown): readonly (readonly [kind: string, name: unknown])[] {
  const projected = listAt(spec, "volumes").flatMap((volume) => listAt(volume, "projected", "sources"));
  const environment = listAt(spec, "containers").flatMap((container) => [
    ...listAt(container, "env").map((variable) => valueAt(variable, ["valueFrom", "secretKeyRef"])),
    ...listAt(container, "envFrom").map((source) => valueAt(source, ["secretRef"])),
  ]);
  return [
    ...projected.map((source) => ["Secret", valueAt(source, ["secret", "name"])] as const),
    ...projected.map((source) => ["ConfigMap", valueAt(source, ["configMap", "name"])] as const),
    ...listAt(spec, "volumes").map((volume) => ["ConfigMap", valueAt(volume, ["configMap", "name"])] as const),
    ...listAt(spec, "volumes").map(
      (volume) => ["PersistentVolumeClaim", valueAt(volume, ["persistentVolumeClaim", "claimName"])] as const,
    ),
    ...environment.map((reference) => ["Secret", valueAt(reference, ["name"])] as const),
  ].filter(([, name]) => name !== undefined && !claims.has(String(name)));
}

function podFaults(spec: unknown): readonly string[] {
  const volumes = listAt(spec, "volumes").map((volume) => valueAt(volume, ["name"]));
  const names = portNames(spec);
  return listAt(spec, "containers").flatMap((container) => {
    const mounts = listAt(container, "volumeMounts").map((mount) => valueAt(mount, ["name"]));
    const probes = ["startupProbe", "livenessProbe", "readinessProbe"]
      .map((probe) => valueAt(container, [probe, "httpGet", "port"]))
      .filter((port) => port !== undefined);
    return [
      ...mounts.filter((name) => !volumes.includes(name)).map((name) => `no volume ${name}`),
      ...probes.filter((port) => !names.includes(port)).map((port) => `no port ${port} to probe`),
    ];
  });
}

function portNames(spec: unknown): readonly unknown[] {
  return listAt(spec, "containers").flatMap((container) =>
    listAt(container, "ports").map((port) => valueAt(port, ["name"])),
  );
}

/** The Services that routes lead to, each with who leads there and a port by name or number. */
function backendsOf(manifests: readonly Manifest[]): readonly (readonly [string, unknown, unknown])[] {
  const rules = (owner: Manifest): readonly unknown[] => owner.list("spec", "rules");
  const ingresses = ofKind(manifests, "Ingress").flatMap((owner) =>
    rules(owner)
      .flatMap((rule) => listAt(rule, "http", "paths"))
      .map((path) => {
        const at = (...keys: string[]): unknown => valueAt(path, ["backend", "service", ...keys]);
        return [`Ingress ${owner.name}`, at("name"), at("port", "name")] as const;
      }),
  );
  const routes = ofKind(manifests, "HTTPRoute").flatMap((owner) =>
    rules(owner)
      .flatMap((rule) => listAt(rule, "backendRefs"))
      .map((backend) => [`HTTPRoute ${owner.name}`, valueAt(backend, ["name"]), valueAt(backend, ["port"])] as const),
  );
  return [...ingresses, ...routes];
}
