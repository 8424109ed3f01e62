import { listAt, type Manifest, matches, ofKind, textsOf, valueAt } from "./manifest.ts";

/** A pod that connects, or is connected to. */
export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Whether network policies let a pod connect to another, as far as what comes in to the latter is concerned. All policies are
 * those of one namespace. Addresses outside of the cluster are not known here: `ipBlock` matches no pod.
 */
export function mayConnect(
  policies: readonly Manifest[],
  from: Pod,
  to: Pod & { readonly port: number },
  policyNamespace: string,
): boolean {
  if (to.namespace !== policyNamespace) return true;
  const chosen = ofKind(policies, "NetworkPolicy").filter(
    (policy) => policy.list("spec", "policyTypes").includes("Ingress") && selects(policy.at("spec", "podSelector"), to),
  );
  if (chosen.length === 0) return true;
  return chosen
    .flatMap((policy) => policy.list("spec", "ingress"))
    .some((rule) => {
      const ports = listAt(rule, "ports");
      const peers = valueAt(rule, ["from"]);
      const portFits = ports.length === 0 || ports.some((port) => valueAt(port, ["port"]) === to.port);
      return (
        portFits && (peers === undefined || listAt(rule, "from").some((peer) => isPeer(peer, from, policyNamespace)))
      );
    });
}

function isPeer(peer: unknown, pod: Pod, policyNamespace: string): boolean {
  if (valueAt(peer, ["ipBlock"]) !== undefined) return false;
  const namespaces = valueAt(peer, ["namespaceSelector"]);
  const pods = valueAt(peer, ["podSelector"]);
  const labels = { "kubernetes.io/metadata.name": pod.namespace };
  const inNamespace =
    namespaces === undefined
      ? pod.namespace === policyNamespace
      : selects(namespaces, { namespace: pod.namespace, labels });
  return inNamespace && (pods === undefined || selects(pods, pod));
}

function selects(selector: unknown, { labels }: Pod): boolean {
  return (
    matches(valueAt(selector, ["matchLabels"]), labels) &&
    listAt(selector, "matchExpressions").every((expression) => {
      const { key = "", operator } = textsOf({
        key: valueAt(expression, ["key"]),
        operator: valueAt(expression, ["operator"]),
      });
      if (operator !== "In") throw new Error(`the operator ${operator} is not known here`);
      return listAt(expression, "values").includes(labels[key]);
    })
  );
}
