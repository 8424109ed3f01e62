import type { DN } from "@registry-gate/distinguished-name";
import type { ConnectSettings } from "./connect/open-socket.ts";
import type { FilterTemplate } from "./filter/filter-template.ts";
import type { SearchScope } from "./protocol/requests.ts";
import type { ServerAddress } from "./url.ts";
import type { DNTemplate } from "./user/dn-template.ts";

/** The options as they are in force: parsed, compiled, and with every default. */
export interface Settings {
  readonly directory: DirectorySettings;
  readonly user: UserSettings;
  readonly groups: GroupSettings;
  readonly requiredGroup: string | undefined;
}

export interface DirectorySettings {
  readonly addresses: readonly ServerAddress[];
  readonly connect: ConnectSettings;
  /** For one operation, in milliseconds. */
  readonly timeout: number;
  readonly pool: { readonly size: number; readonly idle: number; readonly maxWaiting: number };
}

export interface UserSettings {
  /** How the entry of a user is found. */
  readonly by:
    | { readonly kind: "search"; readonly base: string; readonly scope: SearchScope; readonly filter: FilterTemplate }
    /** By the forms of name that Active Directory knows. */
    | { readonly kind: "login-name"; readonly base: string; readonly scope: SearchScope }
    | { readonly kind: "template"; readonly template: DNTemplate };
  readonly usernameAttribute: string;
  readonly activeDirectory: boolean;
  /** Whether there is nobody but the user to read the user's entry. */
  readonly readsItself: boolean;
}

export interface GroupSettings {
  readonly route:
    | { readonly kind: "memberOf"; readonly attribute: string }
    | { readonly kind: "search"; readonly filter: FilterTemplate }
    /** By the token that Active Directory computes. */
    | { readonly kind: "token" };
  /** Where groups are; those elsewhere do not count. Undefined: wherever they are. */
  readonly base: { readonly text: string; readonly dn: DN } | undefined;
  readonly scope: SearchScope;
  readonly nameAttribute: string;
  readonly nested: boolean;
}
