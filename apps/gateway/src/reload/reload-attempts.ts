/** The steps of a reload. `Cause` says what has led to it. */
export interface ReloadSteps<Cause> {
  /** Applies the configuration in the file, or throws and changes nothing. */
  readonly replace: (cause: Cause) => Promise<void>;
  /**
   * Whether that is worth another attempt, found out without a trace; may throw why it is not, as `replace` would. False:
   * not as the file is now.
   */
  readonly isPossible: () => Promise<boolean>;
  /** Reports why the configuration was rejected. */
  readonly refuse: (error: unknown, cause: Cause) => void;
  /** In words, to tell whether a reason is another one. */
  readonly describe: (error: unknown) => string;
  /** The cause of another attempt. */
  readonly retry: Cause;
}

export interface ReloadAttempts<Cause> {
  /** Resolves when the configuration is applied or rejected. */
  reload(cause: Cause): Promise<void>;
  /** Lets no further attempt begin, and resolves when none runs. */
  stop(): Promise<void>;
}

type Step<Cause> = (cause: Cause) => Promise<boolean>;

/** How often a rejected configuration is tried again, in milliseconds. */
const retryInterval = 2000;

/**
 * Runs reloads one after the other. A rejected configuration is tried again until it or another one is applied, because a
 * missing file may appear. The same reason is reported once.
 */
export function reloadAttempts<Cause>(steps: ReloadSteps<Cause>): ReloadAttempts<Cause> {
  const { replace, isPossible, refuse, describe, retry } = steps;
  let last: Promise<void> = Promise.resolve();
  let reported: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function attempt(step: Step<Cause>, cause: Cause): Promise<void> {
    if (stopped) return;
    clearTimeout(timer);
    try {
      if (await step(cause)) return;
    } catch (error) {
      const reason = describe(error);
      if (reason !== reported) refuse(error, cause);
      reported = reason;
    }
    if (!stopped) timer = setTimeout(() => enqueue(again, retry), retryInterval).unref();
  }

  async function first(cause: Cause): Promise<boolean> {
    reported = undefined;
    await replace(cause);
    return true;
  }

  async function again(cause: Cause): Promise<boolean> {
    if (!(await isPossible())) return false;
    await replace(cause);
    return true;
  }

  function enqueue(step: Step<Cause>, cause: Cause): Promise<void> {
    last = last.then(() => attempt(step, cause));
    return last;
  }

  return {
    reload: (cause) => enqueue(first, cause),
    stop() {
      stopped = true;
      clearTimeout(timer);
      return last;
    },
  };
}
