import { createServer } from "node:http";
import { listen } from "../support/listen.ts";

/** The process behind `startSink`: reads whatever comes and keeps nothing. */
const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
  request.on("data", (chunk: Buffer) => {
    // As large as bodies are, waiting for the collector would make this process what is measured.
    if (chunk.length === chunk.buffer.byteLength && chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0);
  });
  request.on("end", () => response.writeHead(201, { "content-length": 0 }).end());
});
const address = `127.0.0.1:${await listen(server)}`;
process.stdout.write(`${JSON.stringify({ address })}\n`);
