/**
 * The contract of authentication backends, as tests for any test runner.
 *
 * @module
 */
export { backendContract } from "./backend-contract.ts";
export type { ContractCase } from "./case.ts";
export type { BackendFixture, KnownUser, Restore } from "./fixture.ts";
export { hostileNames } from "./hostile-names.ts";
export { type PluginFixture, pluginContract, type RefusedOptions } from "./plugin-contract.ts";
export { type RecordingLog, recordingLog } from "./recording-log.ts";
export { type Ask, authRequest, basicAsk, bearerAsk } from "./request.ts";
