import { configSchema, type Schema } from "./config-schema.ts";
import { withGoPatterns } from "./go-patterns.ts";

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const port: Schema = { type: "integer", minimum: 1, maximum: 65_535 };
const whole = (minimum: number): Schema => ({ type: "integer", minimum });
const percentage: Schema = { type: "integer", minimum: 1, maximum: 1000 };
const oneOf = (...values: string[]): Schema => ({ enum: values });
const texts: Schema = { type: "array", items: text };
/** What Kubernetes judges: the chart hands it on. */
const anyObject: Schema = { type: "object" };
const anyObjects: Schema = { type: "array", items: anyObject };
const textByName: Schema = { type: "object", additionalProperties: text };
/** A name in the API, or nothing. */
const nameOrNothing: Schema = { type: "string", pattern: "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$" };
const orNull = (schema: Schema): Schema => ({ ...schema, type: [String(schema.type), "null"] });

/** An object that has these keys and no others. */
function object(properties: Schema, required: readonly string[] = []): Schema {
  return { type: "object", additionalProperties: false, properties, ...(required.length > 0 && { required }) };
}

const image = object(
  {
    repository: { type: "string", minLength: 1 },
    tag: text,
    digest: { type: "string", pattern: "^(sha256:[0-9a-f]{64})?$" },
    pullPolicy: oneOf("Always", "IfNotPresent", "Never"),
  },
  ["repository"],
);
const duration: Schema = { type: "string", pattern: "^[0-9]+(ms|s|m|h)$" };
const numberOrPercentage: Schema = { type: ["integer", "string"], minimum: 0, pattern: "^[0-9]+%$" };
const placement: Schema = {
  nodeSelector: textByName,
  tolerations: anyObjects,
  affinity: anyObject,
  priorityClassName: text,
  podAnnotations: textByName,
  podLabels: textByName,
  resources: anyObject,
  podSecurityContext: anyObject,
  securityContext: anyObject,
  extraEnv: anyObjects,
  extraEnvFrom: anyObjects,
};

/** The schema of the chart's values, `values.schema.json`. */
export function valuesSchema(): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Values of the chart registry-gate",
    ...object({
      global: anyObject,
      nameOverride: nameOrNothing,
      fullnameOverride: nameOrNothing,
      image,
      imagePullSecrets: { type: "array", items: object({ name: nameOrNothing }, ["name"]) },
      config: withGoPatterns(configSchema()),
      htpasswd: object({ existingSecret: nameOrNothing, users: text, groups: text }),
      ldap: object({ existingSecret: nameOrNothing, password: text }),
      upstreamCredentials: object({
        username: { type: "string", pattern: "^[^:]*$" },
        existingSecret: nameOrNothing,
        password: text,
      }),
      keys: object({ existingSecret: nameOrNothing, value: text, create: flag }),
      redis: object({ url: { type: "string", pattern: "^(rediss?://.+)?$" }, existingSecret: nameOrNothing }),
      state: object({ existingClaim: nameOrNothing }),
      tls: object({ existingSecret: nameOrNothing, certificate: text, key: text }),
      extraFiles: anyObjects,
      bindAddress: { type: "string", minLength: 1 },
      ports: object({ gate: port, admin: port }, ["gate", "admin"]),
      replicaCount: whole(0),
      autoscaling: object({
        enabled: flag,
        minReplicas: whole(1),
        maxReplicas: whole(1),
        targetCPUUtilizationPercentage: percentage,
        targetMemoryUtilizationPercentage: whole(0),
        behavior: anyObject,
      }),
      podDisruptionBudget: object({ enabled: flag, maxUnavailable: numberOrPercentage }),
      revisionHistoryLimit: whole(0),
      service: object({
        type: oneOf("ClusterIP", "NodePort", "LoadBalancer"),
        port: orNull(port),
        nodePort: orNull(port),
        annotations: textByName,
        loadBalancerClass: text,
        loadBalancerSourceRanges: texts,
        externalTrafficPolicy: oneOf("Local", "Cluster"),
      }),
      ingress: object({
        enabled: flag,
        className: text,
        host: text,
        tlsSecret: nameOrNothing,
        controller: oneOf("nginx", "haproxy", "traefik", "none"),
        annotations: textByName,
      }),
      httpRoute: object({
        enabled: flag,
        parentRefs: anyObjects,
        hostnames: texts,
        annotations: textByName,
        timeouts: object({ request: duration, backendRequest: duration }),
        backendTLS: object({ hostname: text, caConfigMap: nameOrNothing }),
      }),
      networkPolicy: object({
        enabled: flag,
        clients: anyObjects,
        ingressNamespaces: { ...texts, minItems: 1 },
        prometheusNamespaces: texts,
        egress: anyObjects,
      }),
      serviceMonitor: object({
        enabled: flag,
        interval: duration,
        scrapeTimeout: duration,
        labels: textByName,
        relabelings: anyObjects,
        metricRelabelings: anyObjects,
      }),
      prometheusRule: object({ enabled: flag, labels: textByName }),
      dashboard: object({ enabled: flag, labels: textByName, annotations: textByName }),
      serviceAccount: object({ create: flag, name: nameOrNothing, annotations: textByName }),
      ...placement,
      terminationMarginSeconds: whole(1),
      topologySpreadConstraints: anyObjects,
      runtimeClassName: nameOrNothing,
      dnsConfig: anyObject,
      hostAliases: anyObjects,
      annotations: textByName,
      extraArgs: texts,
      extraVolumes: anyObjects,
      extraVolumeMounts: anyObjects,
      extraContainers: anyObjects,
      extraInitContainers: anyObjects,
      extraObjects: anyObjects,
      registry: object({
        enabled: flag,
        image,
        config: anyObject,
        existingSecret: nameOrNothing,
        persistence: object({
          enabled: flag,
          existingClaim: nameOrNothing,
          storageClass: text,
          accessModes: {
            type: "array",
            minItems: 1,
            items: oneOf("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"),
          },
          size: { type: "string", pattern: "^[0-9]+(\\.[0-9]+)?([KMGTPE]i?)?$" },
          annotations: textByName,
        }),
        egress: anyObjects,
        ...placement,
      }),
    }),
  };
}
