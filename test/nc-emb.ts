import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";
const r = await startEmbeddedRegistry({ port: 15001, pages: "opaque" });
console.log(r.url);
for (const repo of ["team/a", "team/b", "x"]) for (let i = 0; i < 7; i++) {
  const body = Buffer.from("{}"); const d = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
  const u = await fetch(`${r.url}/v2/${repo}/blobs/uploads/?digest=${d}`, { method: "POST", body, headers: {"content-type":"application/octet-stream"} });
  const m = JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: { mediaType: "application/vnd.oci.empty.v1+json", digest: d, size: 2 }, layers: [] });
  const p = await fetch(`${r.url}/v2/${repo}/manifests/v${i}`, { method: "PUT", body: m, headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" } });
  if (p.status !== 201) console.log(u.status, p.status, await p.text());
}
setInterval(() => { for (const q of r.requests.splice?.(0) ?? []) console.log(q.method, q.url, q.status); }, 300);
