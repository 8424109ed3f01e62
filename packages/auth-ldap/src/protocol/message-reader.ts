import { DirectoryFault } from "../faults.ts";
import { type Element, isWellFormed, readElement, readHead, readNumber } from "./ber.ts";

/** An LDAPMessage (RFC 4511, section 4.1.1) whose encoding has been found sound. */
export interface Message {
  readonly id: number;
  readonly operation: Element;
  readonly controls: Element | undefined;
  /** The whole message. */
  readonly bytes: Buffer;
}

/** No answer that this package asks for comes near it. */
const LARGEST = 16 * 1024 * 1024;

/** Cuts the stream of bytes into messages. Nothing malformed is passed on. */
export interface MessageReader {
  /**
   * @returns the messages that are complete now.
   * @throws {DirectoryFault} of kind `protocol`; then the connection is of no more use.
   */
  read(chunk: Buffer): readonly Message[];
}

export function createMessageReader(): MessageReader {
  let parts: Buffer[] = [];
  let length = 0;
  /** How many bytes make the next message complete, as far as that is known. */
  let needed = 2;

  return {
    read(chunk) {
      parts.push(chunk);
      length += chunk.length;
      if (length < needed) return [];
      let bytes = parts.length === 1 ? chunk : Buffer.concat(parts);
      const messages: Message[] = [];
      for (;;) {
        const head = readHead(bytes, 0);
        if (bytes.length > 0 && bytes[0] !== 0x30) throw malformed("what came is no LDAP message");
        if (head === "malformed") throw malformed("the length of a message is not understood");
        if (head !== undefined && head.end > LARGEST) throw malformed("a message is too long");
        needed = head === undefined ? bytes.length + 1 : head.end;
        if (head === undefined || head.end > bytes.length) break;
        messages.push(readMessage(bytes.subarray(0, head.end), head.start));
        bytes = bytes.subarray(head.end);
      }
      parts = bytes.length === 0 ? [] : [bytes];
      length = bytes.length;
      return messages;
    },
  };
}

/** @throws {DirectoryFault} of kind `protocol`. */
export function readMessage(bytes: Buffer, start: number): Message {
  if (!isWellFormed(bytes, start, bytes.length)) throw malformed("a message is not well-formed");
  const idElement = readElement(bytes, start, bytes.length);
  const id = idElement?.tag === 0x02 ? readNumber(bytes, idElement) : undefined;
  const operation = idElement === undefined ? undefined : readElement(bytes, idElement.end, bytes.length);
  if (id === undefined || operation === undefined) throw malformed("a message has no identifier or no operation");
  const controls = operation.end === bytes.length ? undefined : readElement(bytes, operation.end, bytes.length);
  return { id, operation, controls, bytes };
}

function malformed(what: string): DirectoryFault {
  return new DirectoryFault("protocol", what);
}
