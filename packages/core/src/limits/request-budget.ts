/** Keeps the number of requests in progress within limits, in all and by client. */
export interface RequestBudget {
  /**
   * Takes a place.
   *
   * @param client Who is asking, as far as that is known.
   * @returns the place, or whose limit is reached.
   */
  enter(client: string): Place | Full;
}

export type Full = "client" | "all";

export interface Place {
  /**
   * From now on the place counts for somebody else: for a user who has signed in, in place of the address.
   *
   * @returns false where their limit is reached. The place must be left all the same.
   */
  moveTo(client: string): boolean;
  leave(): void;
}

/**
 * @param inFlight In all.
 * @param inFlightPerClient By user, or by address without one.
 */
export function requestBudget(inFlight: number, inFlightPerClient: number): RequestBudget {
  const counts = new Map<string, number>();
  let all = 0;

  function add(client: string): boolean {
    const count = counts.get(client) ?? 0;
    if (count >= inFlightPerClient) return false;
    counts.set(client, count + 1);
    return true;
  }
  function remove(client: string): void {
    const count = counts.get(client) ?? 0;
    if (count > 1) counts.set(client, count - 1);
    else counts.delete(client);
  }

  return {
    enter(client) {
      if (all >= inFlight) return "all";
      if (!add(client)) return "client";
      all++;
      let holder: string | undefined = client;
      return {
        moveTo(other) {
          if (holder === other) return true;
          if (holder !== undefined) remove(holder);
          holder = add(other) ? other : undefined;
          return holder !== undefined;
        },
        leave() {
          if (holder !== undefined) remove(holder);
          holder = undefined;
          all--;
        },
      };
    },
  };
}
