/** The first half of an IPv6 address, which is what one customer of a network gets (RFC 6177). */
const groupsOfNetwork = 4;
const allGroups = 8;

/**
 * What the connections of one client are counted by: the address itself for IPv4, also where it is mapped into IPv6, and
 * the network of 64 bits for IPv6.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  // An IPv4 address at the end stands for two groups, neither of which belongs to the network.
  const [head = "", tail] = address
    .replace(/%.*$/, "")
    .replace(/\d+(?:\.\d+){3}$/, "0:0")
    .split("::");
  const before = groupsIn(head);
  const after = groupsIn(tail ?? "");
  const zeros = Array.from({ length: allGroups - before.length - after.length }, () => "0");
  return `${[...before, ...zeros, ...after].slice(0, groupsOfNetwork).join(":")}::/64`;
}

/** Without leading zeros, in lower case: the spelling of an address is not a way around a limit. */
function groupsIn(text: string): string[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16).toString(16));
}
