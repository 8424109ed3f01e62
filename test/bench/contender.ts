/** A proxy under test, or the registry itself. */
export interface Contender {
  readonly name: string;
  /** Whether it is the gate. */
  readonly own?: boolean;
  readonly url: string;
  /** Of the process that does the work, or that has started those that do. */
  readonly pid: number;
  /** Every request has them. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The requests that it has become warm with: Node compiles what is used often only after a while. Absent: it needs none.
   */
  readonly warmFor?: Set<string>;
  /** How many processes share its requests, with all cores. Absent: one, on the last core. */
  readonly workers?: number;
  /** Where its metrics are; undefined where it has none. */
  readonly adminUrl?: string;
  close(): Promise<void>;
}

/** Starts one after the other; where one fails, those before it are closed. */
export async function startAll(starts: readonly (() => Promise<Contender>)[]): Promise<Contender[]> {
  const started: Contender[] = [];
  try {
    for (const start of starts) started.push(await start());
    return started;
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

export async function closeAll(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(contenders.map((contender) => contender.close()));
}
