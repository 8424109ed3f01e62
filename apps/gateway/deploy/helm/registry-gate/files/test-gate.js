// Whether the certificate is right for clients is not asked: in here the gate has another name.
const { get } = require(process.env.GATE.startsWith("https:") ? "node:https" : "node:http");
const { get: getPlain } = require("node:http");

function ask(getOf, url) {
  return new Promise((resolve, reject) => {
    const request = getOf(url, { rejectUnauthorized: false, timeout: 10_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.on("timeout", () => request.destroy(new Error(`no response from ${url}`)));
    request.on("error", reject);
  });
}

async function test() {
  const ready = await ask(getPlain, process.env.READY);
  if (ready.status !== 200) throw new Error(`the gate is not ready: ${ready.status} ${ready.body}`);
  const ping = await ask(get, process.env.GATE);
  if (ping.headers["docker-distribution-api-version"] !== "registry/2.0")
    throw new Error(`${process.env.GATE} is no registry: ${ping.status}`);
  if (ping.status !== 401 && ping.status !== 200) throw new Error(`${process.env.GATE}: ${ping.status} ${ping.body}`);
  console.log(`${process.env.GATE} responds ${ping.status}; ready: ${ready.body}`);
}

test().catch((error) => {
  console.error(String(error));
  process.exitCode = 1;
});
