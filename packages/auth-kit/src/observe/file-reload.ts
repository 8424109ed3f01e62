import { type Channel, openChannel } from "./channel.ts";

/** Files that are followed have changed, or cannot be read any more. */
export interface FileReload {
  /** Absolute paths of files that belong together, such as a certificate and its key. */
  readonly files: readonly string[];
  /**
   * - `reloaded`: what they hold now is in force
   * - `invalid`: what they hold cannot be used; the previous version stays in force
   * - `unreadable`: one of them cannot be read; the previous version stays in force. Once for each new reason
   */
  readonly outcome: "reloaded" | "invalid" | "unreadable";
}

/** Files with users, groups, keys and secrets. */
export const fileReload: Channel<FileReload> = openChannel("registry-gate:file:reload");
