import { digestOf } from "../support/registry-content.ts";
import { secrets } from "./scene.ts";

const digest = digestOf("there is no such thing");
const state = `_state=${secrets["the state of an upload"]}`;
const upload = `/v2/team/app/blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2`;
const common = [
  "Host: registry.example.com",
  `Cookie: session=${secrets["a cookie"]}`,
  `X-Api-Key: ${secrets["a header"]}`,
  `Proxy-Authorization: Bearer ${secrets["a header"]}`,
];
const body = secrets["a body"];

function request(line: string, login: string, headers: readonly string[] = [], content = ""): string {
  return [`${line} HTTP/1.1`, ...common, login, ...headers, "", content].join("\r\n");
}

function withBody(line: string, login: string, content: string, ...headers: readonly string[]): string {
  return request(line, login, [`Content-Length: ${content.length}`, ...headers], content);
}

/** A long series of requests, good, bad and broken, each with all that must not come out. */
export function requestsOf(login: string): readonly string[] {
  const chunks = ["Transfer-Encoding: chunked", "Trailer: X-Trailer"];
  const trailer = `X-Trailer: ${secrets["a trailer"]}`;
  const parameter = secrets["a parameter"];
  return [
    request("GET /v2/", login),
    request(`GET /v2/?x=${parameter}`, login),
    request("GET /v2/_catalog?n=5", login),
    request(`GET /v2/_catalog?n=${parameter}`, login),
    request(`GET /v2/team/app/tags/list?last=${parameter}`, login),
    request(`GET /v2/team/app/tags/list?n=${parameter}`, login),
    request("GET /v2/team/app/manifests/latest", login),
    request(`GET /v2/team/app/manifests/${parameter}!`, login),
    request("GET /v2/other/app/manifests/latest", login),
    request(`GET /v2/team/app/blobs/${digest}`, login),
    request(`GET /v2/team/app/blobs/sha256:${parameter}`, login),
    request(`GET /v2/${parameter}/%zz`, login),
    request(`GET /v2/TEAM/${parameter}`, login),
    request(`GET /${parameter}`, login),
    withBody("PUT /v2/team/app/manifests/latest", login, body, `Content-Type: application/${parameter}`),
    withBody("PUT /v2/team/app/manifests/v1", login, body),
    withBody("PUT /v2/other/app/manifests/v1", login, body),
    request("DELETE /v2/team/app/manifests/latest", login),
    withBody(`POST /v2/team/app/blobs/uploads/?digest=${digest}`, login, body),
    withBody(
      "POST /v2/team/app/blobs/uploads/",
      login,
      `mount=${body}`,
      "Content-Type: application/x-www-form-urlencoded",
    ),
    request(`POST /v2/team/app/blobs/uploads/?mount=${digest}&from=other/app`, login, ["Content-Length: 0"]),
    request(`GET ${upload}?${state}`, login),
    withBody(`PATCH ${upload}?${state}`, login, body),
    withBody(`PATCH ${upload}?${state}&${state}`, login, body),
    withBody(`PATCH ${upload.replace("team", "other")}?${state}`, login, body),
    withBody(`PUT ${upload}?${state}&digest=${digest}`, login, body),
    withBody(`PUT ${upload}?${state}&digest=${parameter}`, login, body),
    request(`DELETE ${upload}?${state}`, login),
    request(`PATCH ${upload}?${state}`, login, chunks, `5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`),
    request(`PATCH ${upload}?${state}`, login, chunks, `5\r\nhello\r\n${body}\r\n`),
    withBody(`PATCH ${upload}?${state}`, login, body, `Expect: ${parameter}`),
    request(`TRACE /v2/?x=${parameter}`, login),
    request(`CONNECT ${parameter}:443`, login),
    request(`GET http://${parameter}/v2/`, login),
    request("GET /v2/", login, ["Host: twice", `X: ${parameter}`]),
    request("GET /v2/", login, [`X: ${parameter}\u0000`]),
    request("GET /v2/", login, [`X: ${parameter.repeat(2000)}`]),
    request(`${parameter} /v2/`, login),
  ];
}
