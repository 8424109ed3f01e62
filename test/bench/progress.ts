/** Where progress is shown: commonly the standard error. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What is being measured, on one line of a terminal, or else a line a part. */
export interface Progress {
  /** Begins a part. */
  begin(part: string): void;
  /** Says what the part does now. */
  now(text: string): void;
  /** Leaves the line free for other output. */
  clear(): void;
  /** Ends the part. */
  end(): void;
}

/** @param total How many parts there are. */
export function createProgress(output: ProgressOutput, total: number, clock: () => number): Progress {
  const terminal = output.isTTY === true;
  let part = "";
  let started = 0;
  let number = 0;
  const seconds = (): string => `${Math.round((clock() - started) / 1000)} s`;
  // Back to the first column, and everything to its right is erased.
  const clear = (): void => void (terminal && output.write("\r\x1b[K"));
  const show = (text: string): void => {
    if (!terminal) return;
    clear();
    output.write(`[${number}/${total}] ${part}, ${seconds()}: ${text}`.slice(0, (output.columns ?? 80) - 1));
  };
  return {
    begin(name) {
      part = name;
      number++;
      started = clock();
      show("starting");
    },
    now: show,
    clear,
    end() {
      if (terminal) clear();
      else output.write(`[${number}/${total}] ${part}: ${seconds()}\n`);
    },
  };
}
