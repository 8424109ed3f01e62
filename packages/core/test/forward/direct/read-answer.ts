import { type AnswerHead, MalformedAnswerError } from "../../../src/forward/direct/answer-head.ts";
import { answerReader } from "../../../src/forward/direct/answer-reader.ts";

/** What became of an answer. */
export interface ReadAnswer {
  readonly head: AnswerHead | undefined;
  readonly body: string;
  readonly complete: boolean;
  readonly reusable: boolean;
  /** Why it is none. */
  readonly fault: string | undefined;
}

/** Reads an answer that comes in these pieces, after which the registry perhaps closes the connection. */
export function readAnswer(
  pieces: readonly string[],
  { method = "GET", closed = false }: { method?: "GET" | "HEAD"; closed?: boolean } = {},
): ReadAnswer {
  let head: AnswerHead | undefined;
  let body = "";
  const reader = answerReader(method, {
    head(received) {
      if (head !== undefined) throw new Error("two heads");
      head = received;
    },
    body(piece) {
      if (head === undefined || piece.length === 0) throw new Error("a piece out of place");
      body += piece.toString("latin1");
    },
  });
  let fault: string | undefined;
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, "latin1");
      reader.read(bytes);
      // A connection reads into the same memory again.
      bytes.fill("!");
    }
    if (closed) reader.end();
  } catch (error) {
    if (!(error instanceof MalformedAnswerError)) throw error;
    fault = error.message;
  }
  return { head, body, complete: reader.isComplete(), reusable: reader.isReusable(), fault };
}
