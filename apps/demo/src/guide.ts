/** What the guide has to know. */
export interface GuideFacts {
  readonly port: number;
  readonly secure: boolean;
  readonly directory: string;
  readonly registry: string;
}

/** A command to type as it stands, and what comes of it. */
type Step = readonly [command: string, outcome: string];

/** Tells a newcomer what to type next, and what will happen. */
export function guide({ port, secure, directory, registry }: GuideFacts): string {
  const host = `localhost:${port}`;
  const url = `${secure ? "https" : "http"}://${host}`;
  return `
registry-gate is at ${url}, in front of ${registry}.

  testuser / testpassword       may pull and push (group pushers)
  reader   / readerpassword     may pull
  without a login               nothing works: log in first

With docker, which checks no certificate of a registry on localhost, and any image that you have in the place of busybox:

${steps(withDocker(host, secure))}
With skopeo:

${steps(withSkopeo(host, secure ? `${directory}/trust` : undefined))}
With curl:

${steps(withCurl(url, secure ? `curl --cacert ${directory}/trust/ca.crt` : "curl"))}
Its configuration is ${directory}/registry-gate.yaml: edit it, and it is taken up at once. A line of log for each
request follows. Ctrl-C ends the demo and everything that it started.

`;
}

function withDocker(host: string, secure: boolean): readonly Step[] {
  const retry = secure ? "; docker tries again without TLS, and shows what came of that" : "";
  return [
    [`docker tag busybox ${host}/team/busybox`, "nothing yet: the image has a second name"],
    [`docker push ${host}/team/busybox`, "no basic auth credentials: before a login nothing is pushed"],
    [`docker pull ${host}/team/busybox`, `refused: before a login nothing is pulled${retry}`],
    [`docker login -u testuser -p testpassword ${host}`, "Login Succeeded"],
    [`docker push ${host}/team/busybox`, "pushed: testuser is in the group pushers"],
    [`docker login -u reader -p readerpassword ${host}`, "Login Succeeded"],
    [`docker pull ${host}/team/busybox`, "pulled: authenticated users can pull"],
    [`docker push ${host}/team/busybox`, "denied: requested access to the resource is denied"],
    [`docker login -u reader -p wrong ${host}`, "401 Unauthorized"],
  ];
}

function withSkopeo(host: string, trust: string | undefined): readonly Step[] {
  const verify = (side: string): string =>
    trust === undefined ? `${side}tls-verify=false` : `${side}cert-dir ${trust}`;
  const image = `docker://${host}/team/copied`;
  return [
    [
      `skopeo copy ${verify("--dest-")} --dest-creds testuser:testpassword docker://docker.io/library/busybox ${image}`,
      "pushed, from Docker Hub",
    ],
    [`skopeo list-tags ${verify("--")} --creds reader:readerpassword ${image}`, '"latest"'],
    [
      `skopeo copy ${verify("--src-")} ${verify("--dest-")} --src-creds reader:readerpassword --dest-creds reader:readerpassword ${image} ${image}:mine`,
      "denied: requested access to the resource is denied",
    ],
  ];
}

function withCurl(url: string, curl: string): readonly Step[] {
  return [
    [`${curl} -i ${url}/v2/`, "401 Unauthorized, and how to log in"],
    [`${curl} -i -u testuser:testpassword ${url}/v2/`, "200 OK"],
    [`${curl} -i -u reader:wrong ${url}/v2/`, "401 Unauthorized"],
    [`${curl} -i -u reader:readerpassword ${url}/v2/_catalog`, "200 OK, and what reader may pull"],
    [`${curl} -i -u reader:readerpassword -X POST ${url}/v2/team/app/blobs/uploads/`, "403 Forbidden, DENIED"],
  ];
}

function steps(list: readonly Step[]): string {
  return list.map(([command, outcome]) => `  ${command}\n      ${outcome}\n`).join("");
}
