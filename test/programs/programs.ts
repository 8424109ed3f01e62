import type { Program } from "./program.ts";

/**
 * Every program of the machine that tests start. There is no other list: `pnpm test` installs from here what is missing,
 * and the README's line for apt-get is made of it.
 *
 * The names are those that tests give to `run`, `runCommand`, `startLoggedServer`, `tryPolledServer` and `startable`.
 */
const list = {
  apache2: { debian: ["apache2-bin"], version: ["apache2", "-v"] },
  chmod: { debian: ["coreutils"], version: ["chmod", "--version"], base: true },
  chromium: { debian: ["chromium"], version: ["chromium", "--version"] },
  containerd: { debian: ["containerd"], version: ["containerd", "--version"], needsRoot: true },
  crane: {
    go: { module: "github.com/google/go-containerregistry/cmd/crane", version: "v0.22.1", leastGo: "1.25" },
    optional: true,
  },
  ctr: { debian: ["containerd"], version: ["ctr", "--version"] },
  curl: { debian: ["curl"], version: ["curl", "--version"] },
  debootstrap: { debian: ["debootstrap"], version: ["debootstrap", "--version"], needsRoot: true },
  distribution: {
    go: { module: "github.com/distribution/distribution/v3/cmd/registry", version: "v3.1.2", leastGo: "1.26" },
    optional: true,
  },
  docker: { debian: ["docker.io"], version: ["docker", "--version"] },
  "docker-compose": {
    // Later ones have directives in go.mod with which `go install` refuses to build them.
    go: { module: "github.com/docker/compose/v2/cmd", version: "v2.28.1", leastGo: "1.21" },
    optional: true,
  },
  "docker-registry": { debian: ["docker-registry"], version: ["docker-registry", "--version"] },
  dockerd: { debian: ["docker.io"], version: ["dockerd", "--version"], needsRoot: true },
  git: { debian: ["git"], version: ["git", "--version"] },
  go: { hint: "install Go 1.26 or newer", version: ["go", "version"], optional: true },
  haproxy: { debian: ["haproxy"], version: ["haproxy", "-v"] },
  helm: {
    go: { module: "helm.sh/helm/v4/cmd/helm", version: "v4.3.1", leastGo: "1.26" },
    optional: true,
  },
  htpasswd: { debian: ["apache2-utils"], version: ["dpkg-query", "--show", "apache2-utils"] },
  "kubernetes-check": {
    go: { directory: "test/helm/kubernetes", leastGo: "1.26" },
    optional: true,
  },
  ldapmodify: { debian: ["ldap-utils"], version: ["ldapmodify", "-VV"] },
  ldapsearch: { debian: ["ldap-utils"], version: ["ldapsearch", "-VV"] },
  mkfifo: { debian: ["coreutils"], version: ["mkfifo", "--version"], base: true },
  mkpasswd: { debian: ["whois"], version: ["mkpasswd", "--version"] },
  mod_auth_openidc: {
    debian: ["libapache2-mod-auth-openidc"],
    file: "/usr/lib/apache2/modules/mod_auth_openidc.so",
    version: ["dpkg-query", "--show", "libapache2-mod-auth-openidc"],
  },
  mount: { debian: ["mount"], version: ["mount", "--version"], needsRoot: true, base: true },
  nginx: { debian: ["nginx"], version: ["nginx", "-v"] },
  npm: { hint: "npm comes with Node", version: ["npm", "--version"] },
  npx: { hint: "npx comes with Node", version: ["npx", "--version"] },
  nsenter: { debian: ["util-linux"], version: ["nsenter", "--version"], needsRoot: true, base: true },
  "oci-conformance": {
    go: {
      module: "github.com/opencontainers/distribution-spec/conformance",
      version: "v0.0.0-20260831232431-97274622c111",
      leastGo: "1.26",
    },
    optional: true,
  },
  // A Node that is too old for the gate, such as a distribution has. Nobody is made to install one.
  "old-node": {
    hint: "have a Node older than 22.15 on the path",
    version: ["old-node", "--version"],
    optional: true,
  },
  openssl: { debian: ["openssl"], version: ["openssl", "version"] },
  "oauth2-proxy": {
    go: { module: "github.com/oauth2-proxy/oauth2-proxy/v7", version: "v7.15.6", leastGo: "1.26" },
    optional: true,
  },
  oras: {
    go: { module: "oras.land/oras/cmd/oras", version: "v1.3.6", leastGo: "1.26.7" },
    optional: true,
  },
  pnpm: { hint: "npm install --global pnpm@12", version: ["pnpm", "--version"] },
  podman: { debian: ["podman"], version: ["podman", "--version"], needsRoot: true },
  prlimit: { debian: ["util-linux"], version: ["prlimit", "--version"], base: true },
  prometheus: { debian: ["prometheus"], version: ["prometheus", "--version"] },
  promtool: { debian: ["prometheus"], version: ["promtool", "--version"] },
  // The system's own, to which the package adds Samba's modules.
  python3: { debian: ["samba-ad-dc"], file: "/usr/bin/python3", version: ["python3", "--version"] },
  "redis-server": { debian: ["redis-server"], version: ["redis-server", "--version"] },
  regctl: {
    go: { module: "github.com/regclient/regclient/cmd/regctl", version: "v0.11.7", leastGo: "1.26" },
    optional: true,
  },
  rsyslogd: { debian: ["rsyslog"], version: ["rsyslogd", "-v"] },
  samba: {
    debian: ["samba-ad-dc", "samba-ad-provision"],
    version: ["samba", "--version"],
    needsRoot: true,
  },
  "samba-tool": { debian: ["samba-ad-dc"], version: ["samba-tool", "--version"] },
  script: { debian: ["bsdutils"], version: ["script", "--version"], base: true },
  setpriv: { debian: ["util-linux"], version: ["setpriv", "--version"], needsRoot: true, base: true },
  sh: { debian: ["dash"], version: ["dpkg-query", "--show", "dash"], base: true },
  skopeo: { debian: ["skopeo"], version: ["skopeo", "--version"] },
  slapd: { debian: ["slapd"], version: ["slapd", "-VV"] },
  slowhttptest: { debian: ["slowhttptest"], version: ["slowhttptest", "-h"] },
  sslscan: { debian: ["sslscan"], version: ["sslscan", "--version"] },
  systemd: {
    debian: ["systemd"],
    file: "/lib/systemd/systemd",
    version: ["systemd-analyze", "--version"],
    needsRoot: true,
  },
  "systemd-analyze": { debian: ["systemd"], version: ["systemd-analyze", "--version"] },
  "systemd-notify": { debian: ["systemd"], version: ["systemd-notify", "--version"] },
  "systemd-socket-activate": { debian: ["systemd"], version: ["systemd-socket-activate", "--version"] },
  tar: { debian: ["tar"], version: ["tar", "--version"], base: true },
  taskset: { debian: ["util-linux"], version: ["taskset", "--version"], base: true },
  umount: { debian: ["mount"], version: ["umount", "--version"], needsRoot: true, base: true },
  unshare: { debian: ["util-linux"], version: ["unshare", "--version"], needsRoot: true, base: true },
  wrk: { debian: ["wrk"], version: ["wrk", "-v"] },
} as const satisfies Readonly<Record<string, Program>>;

/** The name of a program on the list. */
export type ProgramName = keyof typeof list;

export const programs: Readonly<Record<ProgramName, Program>> = list;

export function isProgramName(name: string): name is ProgramName {
  return Object.hasOwn(programs, name);
}
