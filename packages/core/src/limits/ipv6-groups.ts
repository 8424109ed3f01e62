/** The eight groups of an IPv6 address as numbers; its zone is left out. */
export function ipv6Groups(address: string): readonly number[] {
  const [head = "", tail] = address.replace(/%.*$/s, "").split("::", 2);
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return Number.parseInt(group, 16);
    // An IPv4 address at the end stands for two groups (RFC 4291, section 2.2).
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
