import { downloads, uploads } from "./blobs.ts";
import { cachedReads, cachedRealReads, cachedStorm } from "./cache.ts";
import { catalogs } from "./catalogs.ts";
import { coldLogins } from "./cold-logins.ts";
import { crowds } from "./crowds.ts";
import { decisions, growth } from "./growth.ts";
import { secureRegistryDownloads, secureRegistryReads } from "./https-registry.ts";
import { ldapLogins } from "./ldap.ts";
import { memory } from "./memory.ts";
import { observing } from "./observing.ts";
import { onlyWhole, type Part } from "./part.ts";
import { portalPages } from "./portal.ts";
import { reads } from "./reads.ts";
import { realReads, realUploads } from "./real-registry.ts";
import { reloads } from "./reloads.ts";
import { rememberedLogins } from "./remembered-logins.ts";
import { slowClients } from "./slow-clients.ts";
import { startUp } from "./start-up.ts";
import { bearerReads, tokenIssuance } from "./tokens.ts";
import { workers } from "./workers.ts";
import { manifestPuts, uploadStarts } from "./writes.ts";

/** Every part, in the order in which they are run and reported. */
export const parts: readonly Part[] = [
  {
    name: "reads",
    about: "small authenticated GETs, plain and TLS",
    steps: [(scale) => reads(scale, false), (scale) => reads(scale, true)],
  },
  {
    name: "downloads",
    about: "one large blob down, plain and TLS",
    steps: [(scale) => downloads(scale, false), (scale) => downloads(scale, true)],
  },
  {
    name: "uploads",
    about: "one large blob up, plain and TLS",
    steps: [(scale) => uploads(scale, false), (scale) => uploads(scale, true)],
  },
  { name: "memory", about: "memory by the size of what passes, and by how many there are", steps: [memory, crowds] },
  { name: "writes", about: "starts of uploads and manifests put", steps: [uploadStarts, manifestPuts] },
  {
    name: "https",
    about: "reads and a large blob down, registry by TLS",
    steps: [secureRegistryReads, secureRegistryDownloads],
  },
  {
    name: "registry",
    about: "reads and uploads in front of a real registry",
    steps: [realReads, onlyWhole("registry.uploads", "PATCH in chunks to docker-registry, plain HTTP", realUploads)],
  },
  {
    name: "cache",
    about: "manifests from memory, and a storm of pulls",
    steps: [
      cachedReads,
      onlyWhole("cache.registry", "GET of a kept manifest of docker-registry, plain HTTP", cachedRealReads),
      cachedStorm,
    ],
  },
  {
    name: "ldap",
    about: "logins by LDAP, fresh and remembered",
    steps: [
      ldapLogins,
      onlyWhole("ldap.remembered", "GET of a manifest by a user who is remembered, plain HTTP", rememberedLogins),
    ],
  },
  {
    name: "tokens",
    about: "Bearer tokens, used and issued",
    steps: [
      onlyWhole("tokens.reads", "GET of a manifest with a token, plain HTTP", bearerReads),
      onlyWhole("tokens.issuance", "Tokens for a remembered login, plain HTTP", tokenIssuance),
    ],
  },
  {
    name: "observing",
    about: "what metrics and an audit cost",
    steps: [onlyWhole("observing.reads", "GET of a manifest, with metrics and an audit", observing)],
  },
  { name: "cold-logins", about: "many logins at once that nobody remembers", steps: [coldLogins] },
  {
    name: "growth",
    about: "many rules, users, groups, connections, logins and repositories",
    steps: [
      decisions,
      onlyWhole("growth.requests", "GET of a manifest, as the gate grows", growth),
      onlyWhole("growth.catalog", "The whole catalog, filtered by many rules", catalogs),
      onlyWhole("growth.reloads", "A reload of 10,000 rules, 100,000 users and 10,000 groups, under load", reloads),
    ],
  },
  {
    name: "slow-clients",
    about: "pulls and logins while clients are slow",
    steps: [onlyWhole("slow-clients", "Pulls and fresh logins while 2000 clients are slow", slowClients)],
  },
  { name: "workers", about: "processor time and memory of two workers", steps: [workers] },
  { name: "portal", about: "pages before 50,000 repositories", steps: [portalPages] },
  { name: "start-up", about: "how soon serve responds", steps: [startUp] },
];
