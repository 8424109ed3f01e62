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
  /** What works, but surely not as it was meant: for the log, when the backend is opened. */
  readonly warnings: readonly Warning[];
}

export interface Warning {
  readonly option: string;
  readonly message: string;
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
  /** Whether the name that everybody else sees is in lower case. */
  readonly lowerCase: boolean;
  readonly activeDirectory: boolean;
  /** Whether there is nobody but the user to read the user's entry. */
  readonly readsOwnEntry: boolean;
}

/** Which groups have short names: those of which a name can stand for one alone. */
export type Naming =
  /** None: rules name groups by DN. */
  | { readonly kind: "none" }
  /** Those of one domain of Active Directory, which keeps its account names unique. */
  | { readonly kind: "domain"; readonly domain: string }
  /**
   * Those in the place of {@link GroupSettings.base}. Whether a name is unique there is looked up where `searched`:
   * otherwise whoever reads may not see every group, and only groups directly below the base have names.
   */
  | { readonly kind: "place"; readonly searched: boolean };

export interface GroupSettings {
  readonly route:
    | { readonly kind: "memberOf"; readonly attribute: string }
    | { readonly kind: "search"; readonly filter: FilterTemplate }
    /** By the token that Active Directory computes. */
    | { readonly kind: "token" };
  /** Where groups are; those elsewhere do not count. Undefined: wherever they are. */
  readonly base: { readonly text: string; readonly rdns: readonly string[] } | undefined;
  readonly scope: SearchScope;
  readonly nameAttribute: string;
  readonly naming: Naming;
  readonly nested: boolean;
  /** Entries are known by `distinguishedName`, as in Active Directory. */
  readonly activeDirectory: boolean;
}
