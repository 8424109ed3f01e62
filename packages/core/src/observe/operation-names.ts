import type { Operation } from "../route/route.ts";

/** By their names, so that none can be left out. */
const all: Readonly<Record<Operation | "issue-token", true>> = {
  ping: true,
  "list-repositories": true,
  "list-tags": true,
  "get-manifest": true,
  "put-manifest": true,
  "delete-manifest": true,
  "get-blob": true,
  "delete-blob": true,
  "start-upload": true,
  "get-upload": true,
  "continue-upload": true,
  "finish-upload": true,
  "cancel-upload": true,
  "list-referrers": true,
  "issue-token": true,
};

/** Every value that the member `operation` of a record can have. */
export const operationNames: readonly string[] = Object.keys(all);
