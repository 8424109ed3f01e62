import { RESPONSE } from "../bounds.ts";
import { DirectoryError, invalidContent } from "../directory-error.ts";
import { countElements, type Element, readElement, readHead, readNumber } from "./ber.ts";

/** An LDAPMessage (RFC 4511, section 4.1.1) whose encoding has been found sound. */
export interface Message {
  readonly id: number;
  readonly operation: Element;
  readonly controls: Element | undefined;
  /** The whole message. */
  readonly bytes: Buffer;
  /** How many elements of BER it consists of. */
  readonly elements: number;
}

/** Cuts the stream of bytes into messages. Nothing malformed is passed on. */
export interface MessageReader {
  /**
   * Takes time in proportion to the bytes, however they are cut into chunks.
   *
   * @returns the messages that are complete now.
   * @throws {DirectoryError} of kind `protocol` or `content`; then the connection is of no more use.
   */
  read(chunk: Buffer): readonly Message[];
}

const NONE = Buffer.alloc(0);

export function createMessageReader(): MessageReader {
  /** Holds the beginning of the next message in its first `length` bytes. */
  let store: Buffer = NONE;
  let length = 0;
  /** How many bytes make the next message complete, as far as that is known. */
  let needed = 2;

  return {
    read(chunk) {
      let bytes = chunk;
      if (length > 0) {
        store = append(store, length, chunk);
        length += chunk.length;
        bytes = store.subarray(0, length);
      }
      if (bytes.length < needed) {
        if (length === 0) store = bytes;
        length = bytes.length;
        return [];
      }
      const messages: Message[] = [];
      for (;;) {
        const head = readHead(bytes, 0);
        if (bytes.length > 0 && bytes[0] !== 0x30) throw malformed("the response is not an LDAP message");
        if (head === "malformed") throw malformed("malformed message length");
        if (head !== undefined && head.end > RESPONSE.bytes) throw invalidContent("a message is too long");
        needed = head === undefined ? bytes.length + 1 : head.end;
        if (head === undefined || head.end > bytes.length) break;
        messages.push(readMessage(bytes.subarray(0, head.end), head.start));
        bytes = bytes.subarray(head.end);
      }
      // There is no room behind it, so that nothing is written where messages lie that have been handed out.
      if (length === 0 || messages.length > 0) store = bytes;
      length = bytes.length;
      return messages;
    },
  };
}

/** Puts a chunk behind the first `length` bytes; the room grows by doubling, so that each byte is moved a few times. */
function append(store: Buffer, length: number, chunk: Buffer): Buffer {
  const total = length + chunk.length;
  let room = store;
  if (total > store.length) {
    room = Buffer.allocUnsafe(Math.max(total, 2 * store.length));
    store.copy(room, 0, 0, length);
  }
  chunk.copy(room, length);
  return room;
}

/** @throws {DirectoryError} of kind `protocol` or `content`. */
export function readMessage(bytes: Buffer, start: number): Message {
  const elements = countElements(bytes, start, bytes.length, RESPONSE.elements);
  if (elements === undefined) throw malformed("malformed message");
  if (elements > RESPONSE.elements) throw invalidContent(`a message holds more than ${RESPONSE.elements} elements`);
  const idElement = readElement(bytes, start, bytes.length);
  const id = idElement?.tag === 0x02 ? readNumber(bytes, idElement) : undefined;
  const operation = idElement === undefined ? undefined : readElement(bytes, idElement.end, bytes.length);
  if (id === undefined || operation === undefined) throw malformed("a message without an ID or an operation");
  const controls = operation.end === bytes.length ? undefined : readElement(bytes, operation.end, bytes.length);
  return { id, operation, controls, bytes, elements };
}

function malformed(what: string): DirectoryError {
  return new DirectoryError("protocol", what);
}
