import { isIP } from "node:net";

/**
 * The network that a client stands for where clients are counted or served in turn. One household or company has an
 * IPv6 network of its own, and may change its address within it at will (RFC 6177); of IPv4 it is the address itself.
 *
 * @param address An IP address, as `AuthRequest.client` has it; `undefined` on a Unix socket.
 * @param ipv6Prefix How many bits of an IPv6 address count, from 1 to 128.
 * @returns a key: equal for two addresses of one network, however they are written.
 */
export function clientNetwork(address: string | undefined, ipv6Prefix = 64): string {
  if (address === undefined) return "unix:";
  const [plain = ""] = address.split("%", 1);
  if (isIP(plain) !== 6) return address;
  const digits = hexadecimalDigits(plain);
  const mapped = digits.startsWith(IPV4_MAPPED) ? ipv4(digits.slice(IPV4_MAPPED.length)) : undefined;
  return mapped ?? `${leadingBits(digits, ipv6Prefix)}/${ipv6Prefix}`;
}

function leadingBits(digits: string, count: number): string {
  const whole = digits.slice(0, count >> 2);
  const rest = Number.parseInt(digits.charAt(count >> 2), 16) >> (4 - (count & 3));
  return (count & 3) === 0 ? whole : `${whole}+${rest}`;
}

/** RFC 4291, section 2.5.5.2. */
const IPV4_MAPPED = `${"0".repeat(20)}ffff`;

/** @param address An IPv6 address without a zone. */
function hexadecimalDigits(address: string): string {
  // IPv4 at the end stands for the last two groups (RFC 4291, section 2.2).
  const text = address.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [before = "", after] = text.split("::");
  const front = groups(before);
  const back = after === undefined ? [] : groups(after);
  const gap = "0".repeat(4 * Math.max(0, 8 - front.length - back.length));
  return [...front, gap, ...back].join("").toLowerCase();
}

function groups(text: string): readonly string[] {
  return text === "" ? [] : text.split(":").map((group) => group.padStart(4, "0"));
}

function ipv4(digits: string): string {
  return Array.from({ length: 4 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16)).join(".");
}
