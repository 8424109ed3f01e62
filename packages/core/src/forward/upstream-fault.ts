import type { ErrorAnswer } from "../answer/error-answer.ts";

/** The registry did not give what the gate itself asked of it. */
export class UpstreamFault extends Error {
  override readonly name = "UpstreamFault";
  /** What the client is told instead. */
  readonly answer: ErrorAnswer;

  constructor(answer: ErrorAnswer, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.answer = answer;
  }
}
