import { formatScopes, type ListedAccessToken } from "@registry-gate/access-tokens";
import { ownerName } from "../../audit/audited-token.ts";

const columns = ["ID", "NAME", "OWNER", "EXPIRES", "LAST USED", "SCOPES"] as const;

/** A table of tokens, a line each. */
export function tokenTable(tokens: readonly ListedAccessToken[]): string {
  const rows = [
    columns,
    ...tokens.map(({ id, name, owner, expiresAt, lastUsed, scopes }) => [
      id,
      name,
      ownerName(owner),
      time(expiresAt),
      time(lastUsed?.time),
      scopes === undefined ? "all" : formatScopes(scopes).join(" "),
    ]),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** Everything about a token, a line each. */
export function tokenDetails(token: ListedAccessToken): string {
  const { id, name, owner, scopes, networks, createdAt, expiresAt, lastUsed } = token;
  const lines: readonly (readonly [string, string])[] = [
    ["id", id],
    ["name", name],
    ["owner", owner.kind === "user" ? `${owner.username} of ${owner.backend}` : ownerName(owner)],
    ...(owner.kind === "robot" ? [["groups", owner.groups.join(", ") || "none"] as const] : []),
    ["scopes", scopes === undefined ? "whatever the owner is allowed" : formatScopes(scopes).join(" ")],
    ["networks", networks === undefined ? "any" : networks.join(", ")],
    ["created", time(createdAt)],
    ["expires", time(expiresAt)],
    ["last used", time(lastUsed?.time)],
    ...(lastUsed?.address === undefined ? [] : [["from", lastUsed.address] as const]),
    ...(lastUsed?.agent === undefined ? [] : [["by", lastUsed.agent] as const]),
  ];
  return lines.map(([key, value]) => `${`${key}:`.padEnd(12)}${value}\n`).join("");
}

/** Tokens as JSON; times are in ISO 8601. */
export function tokenJson(token: ListedAccessToken): Readonly<Record<string, unknown>> {
  const { id, name, owner, scopes, networks, createdAt, expiresAt, lastUsed } = token;
  return {
    ...{ id, name, owner },
    scopes: scopes === undefined ? null : formatScopes(scopes),
    networks: networks ?? null,
    createdAt: time(createdAt),
    expiresAt: expiresAt === undefined ? null : time(expiresAt),
    lastUsed: lastUsed === undefined ? null : { ...lastUsed, time: time(lastUsed.time) },
  };
}

function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? "never" : new Date(milliseconds).toISOString();
}
