/** What the guide has to know. */
export interface GuideFacts {
  readonly port: number;
  readonly secure: boolean;
  readonly directory: string;
  readonly registry: string;
}

/** Tells a newcomer what to type next, and what will happen. */
export function guide({ port, secure, directory, registry }: GuideFacts): string {
  const host = `localhost:${port}`;
  const curl = secure ? `curl --cacert ${directory}/trust/ca.crt` : "curl";
  const url = `${secure ? "https" : "http"}://${host}`;
  const verify = (flag: string): string =>
    secure ? `${flag}-cert-dir ${directory}/trust` : `${flag}-tls-verify=false`;
  return `
registry-gate is at ${url}, in front of ${registry}.

  testuser / testpassword       may pull and push (group pushers)
  reader   / readerpassword     may pull

With docker, which checks no certificate of a registry on localhost:

  docker login -u testuser -p testpassword ${host}      Login Succeeded
  docker tag busybox ${host}/team/busybox               any image that you have
  docker push ${host}/team/busybox                      pushed: testuser is in pushers
  docker login -u reader -p readerpassword ${host}      Login Succeeded
  docker pull ${host}/team/busybox                      pulled
  docker push ${host}/team/busybox                      denied: reader may only pull

With skopeo:

  skopeo copy --dest-creds testuser:testpassword ${verify("--dest")} docker-daemon:busybox:latest docker://${host}/team/busybox
  skopeo list-tags --creds reader:readerpassword ${secure ? `--cert-dir ${directory}/trust` : "--tls-verify=false"} docker://${host}/team/busybox

With curl:

  ${curl} -i ${url}/v2/                                 401, and how to log in
  ${curl} -u testuser:testpassword ${url}/v2/           200
  ${curl} -u reader:wrong ${url}/v2/                    401
  ${curl} -u reader:readerpassword ${url}/v2/_catalog   what reader may pull
  ${curl} -u reader:readerpassword -X POST ${url}/v2/team/app/blobs/uploads/     403 DENIED

Its configuration is ${directory}/registry-gate.yaml: edit it, and it is taken up at once. A line of log for each
request follows. Ctrl-C ends the demo and everything that it started.

`;
}
