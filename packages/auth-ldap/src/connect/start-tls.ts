import type { Socket } from "node:net";
import { DirectoryError } from "../directory-error.ts";
import { readHead } from "../protocol/ber.ts";
import { readMessage } from "../protocol/message-reader.ts";
import { encodeStartTls } from "../protocol/requests.ts";
import { readResult, TAGS } from "../protocol/responses.ts";

const MESSAGE_ID = 1;
/** An honest response has some dozens of bytes. */
const LARGEST = 8192;

/**
 * Starts TLS on a fresh connection (RFC 4511, section 4.14). When it resolves, exactly one response has come and has
 * been read, and the socket is paused: the next byte is for TLS. Any byte after the response was injected by
 * a man in the middle.
 *
 * The caller watches over the time and over the end of the connection.
 *
 * @throws {DirectoryError} when the server declines, or responds otherwise.
 */
export function startTls(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    try {
      const complete = judgeResponse(received);
      if (!complete) return;
      if (socket.readableLength > 0) throw surplus();
      resolve();
    } catch (error) {
      reject(error);
    }
    socket.pause();
    socket.off("data", onData);
  };
  socket.on("data", onData);
  socket.write(encodeStartTls(MESSAGE_ID));
  return promise;
}

/**
 * Judges the response to StartTLS.
 *
 * @returns whether it is the whole response; else more must come.
 * @throws {DirectoryError}
 */
export function judgeResponse(received: Buffer): boolean {
  const head = readHead(received, 0);
  if (received.length > 0 && received[0] !== 0x30) throw refusal("the StartTLS response is not an LDAP message");
  if (head === "malformed" || (head !== undefined && head.end > LARGEST)) {
    throw refusal("the StartTLS response is malformed");
  }
  if (head === undefined || received.length < head.end) return false;
  if (received.length > head.end) throw surplus();
  const message = readMessage(received, head.start);
  if (message.id !== MESSAGE_ID || message.operation.tag !== TAGS.extended) {
    throw refusal("the StartTLS response has an unexpected type");
  }
  const { code } = readResult(message);
  if (code !== 0) throw refusal(`the server declines StartTLS (${code})`);
  return true;
}

function surplus(): DirectoryError {
  return refusal("unencrypted data after the StartTLS response: somebody may intercept the connection");
}

function refusal(what: string): DirectoryError {
  return new DirectoryError("connect", what);
}
