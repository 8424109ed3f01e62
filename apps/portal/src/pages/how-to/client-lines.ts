import { type CommandLine, shellWord } from "../../view/command-lines.ts";

/** How to set clients up for a host. */
export interface ClientSetup {
  readonly host: string;
  readonly secure: boolean;
  readonly username: string;
  /** Whether clients have to be given the authority of the host's certificate. */
  readonly ownAuthority: boolean;
}

export interface ClientGuide {
  readonly client: string;
  readonly lines: readonly CommandLine[];
}

/** The lines for each client; where the authority is one's own, after it was saved as `ca.crt`. */
export function clientGuides({ host, secure, username, ownAuthority }: ClientSetup): readonly ClientGuide[] {
  const at = shellWord(host);
  const user = shellWord(username);
  const trusts = (client: string): readonly CommandLine[] => {
    const directory = `/etc/${client}/certs.d/${host}`;
    const label = "Trust the certificate";
    return ownAuthority ? [{ label, line: `sudo install -D -m 644 ca.crt ${shellWord(`${directory}/ca.crt`)}` }] : [];
  };
  const scheme = secure ? "https" : "http";
  const hosts = [
    `server = "${scheme}://${host}"`,
    "",
    `[host."${scheme}://${host}"]`,
    '  capabilities = ["pull", "resolve", "push"]',
    ...(ownAuthority ? [`  ca = "/etc/containerd/certs.d/${host}/ca.crt"`] : []),
  ].join("\n");
  const plainDocker: readonly CommandLine[] = secure
    ? []
    : [
        {
          label: "This host speaks plain HTTP: in /etc/docker/daemon.json",
          line: JSON.stringify({ "insecure-registries": [host] }),
        },
      ];
  return [
    {
      client: "docker",
      lines: [
        ...trusts("docker"),
        ...plainDocker,
        { label: "Log in", line: `docker login --username ${user} ${at}` },
        {
          label: "Push",
          line: `docker tag my-image ${shellWord(`${host}/team/my-image:1.0`)}\ndocker push ${shellWord(`${host}/team/my-image:1.0`)}`,
        },
      ],
    },
    {
      client: "podman",
      lines: [
        ...trusts("containers"),
        { label: "Log in", line: `podman login --username ${user}${secure ? "" : " --tls-verify=false"} ${at}` },
        {
          label: "Push",
          line: `podman push${secure ? "" : " --tls-verify=false"} my-image ${shellWord(`${host}/team/my-image:1.0`)}`,
        },
      ],
    },
    {
      client: "containerd",
      lines: [
        ...trusts("containerd"),
        { label: `In /etc/containerd/certs.d/${host}/hosts.toml`, line: hosts },
        {
          label: "Pull",
          line: `sudo nerdctl login --username ${user} ${at}\nsudo nerdctl pull ${shellWord(`${host}/team/my-image:1.0`)}`,
        },
      ],
    },
    {
      client: "helm",
      lines: [
        {
          label: "Log in",
          line: `helm registry login --username ${user}${ownAuthority ? " --ca-file ca.crt" : ""}${secure ? "" : " --plain-http"} ${at}`,
        },
        {
          label: "Push a chart",
          line: `helm push my-chart-1.0.0.tgz ${shellWord(`oci://${host}/team`)}${ownAuthority ? " --ca-file ca.crt" : ""}${secure ? "" : " --plain-http"}`,
        },
      ],
    },
    {
      client: "Kubernetes",
      lines: [
        {
          label: "A secret with an access token, for the pods of a namespace",
          line: `kubectl create secret docker-registry registry --docker-server=${at} --docker-username=${user} --docker-password="$TOKEN"`,
        },
        {
          label: "In a pod",
          line: [
            "imagePullSecrets:",
            "  - name: registry",
            "containers:",
            "  - name: app",
            `    image: ${JSON.stringify(`${host}/team/my-image:1.0`)}`,
          ].join("\n"),
        },
        ...(ownAuthority
          ? [
              {
                label: "The kubelet's containerd needs the certificate on each node",
                line: `sudo install -D -m 644 ca.crt ${shellWord(`/etc/containerd/certs.d/${host}/ca.crt`)}`,
              },
            ]
          : []),
      ],
    },
  ];
}
