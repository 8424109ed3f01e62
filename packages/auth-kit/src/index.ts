/**
 * What a backend of registry-gate is made of.
 *
 * @module
 */

export { z } from "zod";
export { backendContext, isLogger, silentLog } from "./backend/backend-context.ts";
export { backendFault } from "./backend/backend-fault.ts";
export { definePlugin, type PluginDefinition } from "./backend/define-plugin.ts";
export {
  claimUncaught,
  containmentOf,
  type ErrorContainment,
  errorContainment,
  openContained,
  UnownedError,
} from "./backend/error-containment.ts";
export { firstTime, warnOnce } from "./backend/first-time.ts";
export { guardProcess } from "./backend/guard-process.ts";
export { orUnavailable } from "./backend/or-unavailable.ts";
export { revisionOf } from "./backend/revision.ts";
export { type Subscriptions, subscriptions } from "./backend/subscriptions.ts";
export {
  type KnownUser,
  type UserFinding,
  type UserLookup,
  type UserLookupOptions,
  userLookup,
} from "./backend/user-lookup.ts";
export type { Count, CounterStore, Counters } from "./counters/counters.ts";
export { canonicalDN, canonicalRDNs, endsWith, foldValue, isWithin, writeCanonical } from "./dn/canonical-dn.ts";
export { type Ava, type DN, parseDN } from "./dn/parse-dn.ts";
export {
  type FollowedValue,
  type FollowFileOptions,
  type FollowFilesOptions,
  followFile,
  followFiles,
  type NamedFile,
} from "./files/follow-files.ts";
export { followSecret } from "./files/follow-secret.ts";
export { InvalidFileError } from "./files/invalid-file-error.ts";
export { inspectKeyPair, type KeyPairFault, type KeyPairFindings } from "./files/key-pair.ts";
export { openAll } from "./files/open-all.ts";
export { parseSecret, readSecret, readSecretText, withoutByteOrderMark } from "./files/read-secret.ts";
export { ReplaceError } from "./files/replace-error.ts";
export { type ReplaceOptions, replaceFile } from "./files/replace-file.ts";
export { systemErrorCode, writeFaultReason } from "./files/system-error.ts";
export {
  basicCredentials,
  basicLogin,
  controlPattern,
  defaultMaxCredentialBytes,
  isBearer,
  maxAuthorizationLength,
  parseAuthorization,
  token68Pattern,
} from "./login/authorization.ts";
export { formatChallenge } from "./login/challenge.ts";
/** Of the version that the schemas of this package are made with. */
export { collectBody } from "./login/collect-body.ts";
export { createOpaqueToken, isOpaqueToken, opaqueTokenDigest } from "./login/opaque-token.ts";
export { type ReadGroups, readGroups } from "./names/groups.ts";
export { type GroupNameReading, maxNameLength, readGroupName, readName, readText } from "./names/name.ts";
export { isRobotName, robotPrefix } from "./names/robot-name.ts";
export { isStreamSafe } from "./names/stream-safe.ts";
export { type AddressBlock, addressBlock } from "./network/address-block.ts";
export { type AddressSet, addressFault, addressSet } from "./network/address-set.ts";
export { clientNetwork } from "./network/client-network.ts";
export { ipv6Groups, plainAddress } from "./network/ip-address.ts";
export { chooseProxy, isLoopbackUrl, type ProxyFor, proxyFault } from "./network/proxy.ts";
export { refuseUpgrade } from "./network/refuse-upgrade.ts";
export { type Channel, openChannel, subscribeByName } from "./observe/channel.ts";
export { type ChannelName, channelNames } from "./observe/channel-names.ts";
export { type FileReload, fileReload } from "./observe/file-reload.ts";
export type { ObserveQueue, QueueEvent, QueueLevels, QueueRefusal } from "./observe/queue-event.ts";
export { durationFault, durationOption, fileOptionsSchema } from "./options/duration.ts";
export { credentialHeaderOption, identityHeaderOption, isCredentialHeader } from "./options/header-name.ts";
export { suggestKey } from "./options/known-keys.ts";
export {
  flagOption,
  functionOption,
  listOption,
  textOption,
  urlOption,
  wholeNumberOption,
} from "./options/option-schemas.ts";
export { optionFaults, parseOptions } from "./options/parse-options.ts";
export { didYouMean } from "./options/suggestion.ts";
export { trustedProxiesOption } from "./options/trusted-proxies.ts";
export { type ValueSchema, type ValueType, valueSchema } from "./options/value-types.ts";
export type { TextReading } from "./text-reading.ts";
export {
  type FairQueue,
  type FairQueueOptions,
  fairQueue,
  type QueuePlace,
  QueueRefusedError,
  type Release,
  type Waiter,
} from "./waiting/fair-queue.ts";
export { type LinkedList, type LinkedNode, linkedList, linkedNode } from "./waiting/linked-list.ts";
export { signalWithin } from "./waiting/signal-within.ts";
export { atOnce, inTurns, type Steps } from "./waiting/steps.ts";
export { untilAborted } from "./waiting/until-aborted.ts";
