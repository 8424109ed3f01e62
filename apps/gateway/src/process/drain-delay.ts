import { type Logger, timerDelay } from "@registry-gate/auth";

/** The time in which a gate that stops accepts requests still, because load balancers have not noticed yet. */
export interface DrainDelay {
  /** Resolves when it is over. */
  pass(milliseconds: number): Promise<void>;
  /** Ends it, and returns whether there was one. */
  skip(): boolean;
}

export function drainDelay(log: Logger): DrainDelay {
  let end: (() => void) | undefined;
  return {
    async pass(milliseconds) {
      if (milliseconds === 0) return;
      log.info({ event: "drain delay", milliseconds }, "not ready any more; accepting requests for a while");
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        end = resolve;
        timer = setTimeout(resolve, timerDelay(milliseconds));
      });
      clearTimeout(timer);
      end = undefined;
    },
    skip() {
      const running = end !== undefined;
      end?.();
      return running;
    },
  };
}
