import { InvalidOptionsError } from "@registry-gate/auth";

type Environment = Readonly<Record<string, string | undefined>>;

/** The descriptor of the first socket that a service manager passes (sd_listen_fds(3)). */
const firstDescriptor = 3;

/** Descriptors that this process has listened on: when it gives one up, the number may come to mean something else. */
const used = new Set<number>();

/**
 * Finds a socket that systemd, or another service manager with its protocol, has opened and passed to this process.
 *
 * @param name As in `FileDescriptorName=`; `undefined` for the only one.
 * @throws {InvalidOptionsError} at `listen.address` where there is none, or more than one is meant.
 */
export function findInheritedSocket(name: string | undefined, environment: Environment, pid: number): number {
  const { LISTEN_FDS: count = "", LISTEN_PID: recipient = "", LISTEN_FDNAMES: names = "" } = environment;
  const given = /^\d{1,4}$/.test(count) ? Number(count) : 0;
  if (given === 0) return fail("no socket was passed to this process: start it from a systemd socket unit");
  if (recipient !== String(pid)) {
    return fail(
      `the socket was passed to the process ${recipient}, and this is ${pid}: ` +
        "the service has to start registry-gate itself, without a shell or npm in between",
    );
  }
  const known = names === "" ? [] : names.split(":");
  const list = known.length === 0 ? "" : `: ${known.join(", ")}`;
  if (name === undefined) {
    if (given === 1) return firstDescriptor;
    return fail(`${given} sockets were passed to this process${list}; name one, such as systemd:NAME`);
  }
  const places = known.flatMap((each, index) => (each === name && index < given ? [index] : []));
  if (places.length > 1) return fail(`several sockets named ${name} were passed to this process`);
  const [place] = places;
  return place === undefined
    ? fail(`no socket named ${name} was passed to this process${list}`)
    : firstDescriptor + place;
}

/** A hint for an address in use: systemd may have opened it for this process. */
export function inheritanceHint(environment: Environment, pid: number): string {
  const { LISTEN_FDS: count, LISTEN_PID: recipient } = environment;
  if (count === undefined || recipient !== String(pid)) return "";
  return "; for the socket that systemd has passed, write systemd:";
}

/** Takes a descriptor for good. @throws {InvalidOptionsError} where that has happened before. */
export function takeDescriptor(descriptor: number): void {
  if (used.has(descriptor)) fail("an earlier reload closed the socket: restart the service, which loses no connection");
  used.add(descriptor);
}

function fail(message: string): never {
  throw new InvalidOptionsError([{ path: ["listen", "address"], message }]);
}
