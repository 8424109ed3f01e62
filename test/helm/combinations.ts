const anybodyPulls = { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] };
const usersPush = { subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "push"] };

const directory = {
  type: "ldap",
  urls: ["ldaps://ldap.example.com"],
  caCert: "ldap-ca.pem",
  bindDN: "cn=gate,ou=services,dc=example,dc=com",
  bindPasswordFile: "ldap-password",
  searchBase: "ou=people,dc=example,dc=com",
  groups: { searchBase: "ou=groups,dc=example,dc=com" },
};
const directoryAuthority = { configMap: { name: "ldap-ca", items: [{ key: "ca.crt", path: "ldap-ca.pem" }] } };
const ownRegistry = { registry: { enabled: false }, config: { upstream: { url: "http://registry.images.svc:5000" } } };

/** Values by what they are for. What they name in the cluster is in pod-files.ts. */
export const combinations: Readonly<Record<string, object>> = {
  "the defaults": {},
  "users in values": {
    htpasswd: { users: "alice:$2y$05$abcdefghijklmnopqrstuuJ7oOV7l3E3vlMOq3FdTqT3hO4xS9hJW", groups: "pushers: alice" },
    config: { access: [usersPush] },
  },
  "an audit and events in files that are written": {
    config: {
      audit: { output: { file: "audit.jsonl" } },
      events: [{ url: "https://hooks.example.com/registry", secretFile: "hook-secret" }],
    },
    extraFiles: [{ secret: { name: "hook", items: [{ key: "secret", path: "hook-secret" }] } }],
  },
  "users in a Secret that exists": { htpasswd: { existingSecret: "existing-users" } },
  "users without groups in a Secret that exists": {
    htpasswd: { existingSecret: "existing-users-alone" },
    config: { auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] } },
  },
  "a directory whose password is in a Secret that exists": {
    config: { auth: { backends: [directory] } },
    ldap: { existingSecret: "existing-ldap" },
    extraFiles: [directoryAuthority],
  },
  "a directory whose password is in values": {
    config: { auth: { backends: [directory] } },
    ldap: { password: "correct horse" },
    extraFiles: [directoryAuthority],
  },
  "single sign-on by header": {
    config: { auth: { backends: [{ type: "sso-header", preset: "oauth2-proxy", trustedProxies: ["10.0.0.0/8"] }] } },
  },
  "single sign-on by assertion": {
    config: {
      auth: {
        backends: [
          {
            type: "sso-jwt",
            header: "X-Assertion",
            jwks: "https://idp.example.com/jwks",
            issuer: "https://idp.example.com",
            audience: "registry",
          },
        ],
      },
    },
  },
  "tokens with Redis by its URL": {
    config: { access: [anybodyPulls, usersPush] },
    redis: { url: "redis://redis.example.com:6379" },
  },
  "tokens with Redis in a Secret that exists": {
    config: { access: [anybodyPulls, usersPush], auth: { backends: [{ type: "access-token" }] } },
    redis: { existingSecret: "existing-redis" },
  },
  "tokens in one replica": { replicaCount: 1, config: { access: [anybodyPulls] } },
  "tokens in one replica with a claim": {
    replicaCount: 1,
    config: { auth: { challenge: "bearer" } },
    state: { existingClaim: "existing-state" },
  },
  "tokens without logins to keep": {
    config: { access: [anybodyPulls], auth: { token: { refreshTtl: "0s" } } },
  },
  "a horizontal autoscaler": {
    autoscaling: { enabled: true, minReplicas: 3, maxReplicas: 30, targetMemoryUtilizationPercentage: 80 },
    keys: { existingSecret: "existing-keys" },
  },
  "a registry of one's own": ownRegistry,
  "a registry with a login of its own": {
    ...ownRegistry,
    upstreamCredentials: { username: "gate", existingSecret: "existing-registry-login" },
  },
  "the chart's registry with its own volume": {
    registry: {
      existingSecret: "existing-registry-secret",
      persistence: { existingClaim: "existing-images" },
      config: { storage: { cache: { blobdescriptor: "inmemory" } } },
      egress: [{ to: [{ ipBlock: { cidr: "10.9.0.0/16" } }], ports: [{ port: 443 }] }],
    },
  },
  "the chart's registry without a volume": { registry: { persistence: { enabled: false } } },
  "an Ingress that ends TLS": {
    ingress: { enabled: true, className: "nginx", host: "registry.example.com", tlsSecret: "registry-certificate" },
    config: { listen: { trustedProxies: ["10.0.0.0/8"] } },
  },
  "an Ingress in front of TLS": {
    ingress: { enabled: true, host: "registry.example.com", annotations: { "cert-manager.io/cluster-issuer": "own" } },
    tls: { existingSecret: "existing-certificate" },
  },
  "an Ingress of HAProxy": { ingress: { enabled: true, host: "registry.example.com", controller: "haproxy" } },
  "an HTTPRoute": {
    httpRoute: {
      enabled: true,
      parentRefs: [{ name: "public", namespace: "gateways" }],
      hostnames: ["registry.example.com"],
    },
  },
  "an HTTPRoute in front of TLS": {
    httpRoute: {
      enabled: true,
      parentRefs: [{ name: "public" }],
      backendTLS: { hostname: "registry.example.com", caConfigMap: "gate-ca" },
    },
    tls: { existingSecret: "existing-certificate" },
  },
  "a LoadBalancer with TLS": {
    service: { type: "LoadBalancer", loadBalancerSourceRanges: ["203.0.113.0/24"] },
    tls: { existingSecret: "existing-certificate" },
    config: { listen: { tls: { minVersion: "TLSv1.3" } } },
  },
  "a node port": { service: { type: "NodePort", nodePort: 30_443, externalTrafficPolicy: "Cluster" } },
  "everything for Prometheus and Grafana": {
    prometheusRule: { enabled: true, labels: { release: "prometheus" } },
    dashboard: { enabled: true, annotations: { grafana_folder: "Registries" } },
    serviceMonitor: {
      enabled: true,
      labels: { release: "prometheus" },
      relabelings: [{ sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" }],
    },
  },
  "IPv6 and large numbers": {
    bindAddress: "::",
    ports: { gate: 8443, admin: 8444 },
    config: { limits: { inFlight: 2_000_000, minRate: "0" }, listen: { drainTimeout: "2h" } },
    keys: { create: true },
  },
  "no keys in one replica": { replicaCount: 1, keys: { create: false } },
  "extra of everything": {
    fullnameOverride: "images",
    image: { repository: "registry.example.com/gate", digest: `sha256:${"0".repeat(64)}` },
    imagePullSecrets: [{ name: "pull" }],
    annotations: { team: "platform" },
    podAnnotations: { team: "platform" },
    podLabels: { team: "platform" },
    extraArgs: [],
    extraEnv: [{ name: "REALM", value: "Images" }],
    extraEnvFrom: [{ secretRef: { name: "environment" } }],
    extraVolumes: [{ name: "more", emptyDir: {} }],
    extraVolumeMounts: [{ name: "more", mountPath: "/more" }],
    extraContainers: [{ name: "side", image: "side:1" }],
    extraInitContainers: [{ name: "before", image: "before:1" }],
    extraObjects: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "another" }, data: { a: "b" } }],
    nodeSelector: { "kubernetes.io/arch": "amd64" },
    tolerations: [{ key: "dedicated", operator: "Exists" }],
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { a: "b" } },
      },
    ],
    priorityClassName: "high",
    runtimeClassName: "gvisor",
    dnsConfig: { options: [{ name: "ndots", value: "1" }] },
    hostAliases: [{ ip: "10.0.0.1", hostnames: ["ldap.example.com"] }],
    serviceAccount: { create: false, name: "own" },
    networkPolicy: {
      clients: [{ ipBlock: { cidr: "10.0.0.0/8" } }],
      egress: [{ to: [{ ipBlock: { cidr: "10.1.0.0/16" } }], ports: [{ port: 636, protocol: "TCP" }] }],
    },
    config: { auth: { realm: "${REALM}" }, "x-note": "ours" },
  },
  "no policies": { networkPolicy: { enabled: false }, podDisruptionBudget: { enabled: false } },
};

/** Values that must be refused, and what the message has to say. */
export const refused: readonly (readonly [what: string, values: object, message: string | RegExp])[] = [
  ["a number in words", { replicaCount: "two" }, "at '/replicaCount': got string, want integer"],
  ["an unknown key", { replicas: 3 }, "at '': additional properties 'replicas' not allowed"],
  ["an unknown section", { config: { lisen: {} } }, "at '/config': additional properties 'lisen' not allowed"],
  ["a bare duration", { config: { listen: { drainTimeout: 15 } } }, "at '/config/listen/drainTimeout': got number"],
  [
    "a wrong option of a backend",
    { config: { auth: { backends: [{ type: "ldap", url: "ldaps://ldap.example.com" }] } } },
    /at '\/config\/auth\/backends\/0': missing property 'urls'\n.*additional properties 'url' not allowed/,
  ],
  [
    "a backend without a type",
    { config: { auth: { backends: [{ file: "htpasswd" }] } } },
    "at '/config/auth/backends/0': missing property 'type'",
  ],
  [
    "an unknown subject",
    { config: { access: [{ subjects: ["bob"], repositories: ["**"], actions: ["pull"] }] } },
    "at '/config/access/0/subjects/0': 'bob' does not match",
  ],
  [
    "a limit of nothing",
    { config: { limits: { inFlight: 0 } } },
    "at '/config/limits/inFlight': minimum: got 0, want 1",
  ],
  [
    "a Service without an address",
    { service: { type: "ExternalName" } },
    "at '/service/type': value must be one of 'ClusterIP', 'NodePort', 'LoadBalancer'",
  ],
  ["Redis by HTTP", { redis: { url: "http://redis" } }, "at '/redis/url': 'http://redis' does not match"],
  ["a tag that YAML takes for a number", { image: { tag: 1.5 } }, "at '/image/tag': got number, want string"],
  ["an address", { config: { listen: { address: "5043" } } }, "set bindAddress and ports.gate"],
  ["a file of keys", { config: { keys: { file: "keys.json" } } }, "set keys.existingSecret"],
  ["a certificate by path", { config: { listen: { tls: { certificate: "a.pem" } } } }, "set tls.existingSecret"],
  ["a certificate without a key", { tls: { certificate: "PEM" } }, "set tls.key"],
  ["two ports in one", { ports: { gate: 9043 } }, "ports.gate and ports.admin must differ"],
  ["a drain timeout of the environment", { config: { listen: { drainTimeout: "${T}" } } }, "must be a plain duration"],
  ["no registry", { registry: { enabled: false } }, "set config.upstream.url, or registry.enabled to true"],
  ["two registries", { config: { upstream: { url: "http://registry:5000" } } }, "set registry.enabled to false"],
  [
    "a login without a password",
    { upstreamCredentials: { username: "gate" } },
    "set upstreamCredentials.existingSecret",
  ],
  [
    "a directory without its password",
    { config: { auth: { backends: [directory] } } },
    "set ldap.existingSecret or ldap.password",
  ],
  ["an Ingress without a host", { ingress: { enabled: true } }, "ingress.enabled needs ingress.host"],
  ["an HTTPRoute without a Gateway", { httpRoute: { enabled: true } }, "httpRoute.enabled needs httpRoute.parentRefs"],
  ["replicas without shared keys", { keys: { create: false } }, "several replicas need the same keys"],
  [
    "an autoscaler without shared keys",
    { replicaCount: 1, autoscaling: { enabled: true }, keys: { create: false } },
    "several replicas need the same keys",
  ],
  ["replicas whose tokens are apart", { config: { access: [anybodyPulls] } }, "several replicas that issue tokens"],
  [
    "replicas whose access tokens are apart",
    { config: { auth: { backends: [{ type: "access-token" }], token: { refreshTtl: "0s" } } } },
    "several replicas that issue tokens",
  ],
  ["replicas with one claim", { state: { existingClaim: "state" } }, "can be used by one pod alone"],
  [
    "an autoscaler upside down",
    { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } },
    "must not be less than autoscaling.minReplicas",
  ],
];
