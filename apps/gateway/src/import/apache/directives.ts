import type { Directive } from "./parse.ts";

/** Lines that hold secrets, of which only the name is shown. */
export const secret: ReadonlySet<string> = new Set([
  "authldapbindpassword",
  "oidcclientsecret",
  "oidccryptopassphrase",
  "requestheader",
]);

export const carried: ReadonlySet<string> = new Set([
  ...[
    "virtualhost",
    "location",
    "proxy",
    "limit",
    "limitexcept",
    "require",
    "requireany",
    "proxypass",
    "proxytimeout",
    "listen",
  ],
  ...["sslengine", "sslcertificatefile", "sslcertificatekeyfile", "sslprotocol", "sslciphersuite", "sslverifyclient"],
  ...[
    "sslcacertificatefile",
    "authname",
    "authtype",
    "authuserfile",
    "authgroupfile",
    "authbasicprovider",
    "authldapurl",
  ],
  ...[
    "authldapbinddn",
    "authldapbindpassword",
    "authldapgroupattribute",
    "authldapgroupattributeisdn",
    "order",
    "allow",
  ],
  ...["ldaptrustedglobalcert", "ldapverifyservercert", "serverroot", "remoteipheader", "remoteipinternalproxy"],
  ...[
    "remoteiptrustedproxy",
    "sslcertificatechainfile",
    "oidcprovidermetadataurl",
    "oidcclientid",
    "oidcremoteuserclaim",
  ],
  ...["include-missing", "requireall", "requirenone", "deny"],
]);

/** What the gate does by itself, or what changes nothing for clients. */
export const needless: ReadonlySet<string> = new Set([
  ...[
    "loadmodule",
    "user",
    "group",
    "pidfile",
    "errorlog",
    "customlog",
    "logformat",
    "loglevel",
    "serveradmin",
    "servertokens",
  ],
  ...["serversignature", "documentroot", "defaultruntimedir", "mutex", "timeout", "keepalive", "maxkeepaliverequests"],
  ...[
    "keepalivetimeout",
    "proxyrequests",
    "proxypreservehost",
    "proxypassreverse",
    "sslcompression",
    "sslhonorcipherorder",
  ],
  ...[
    "sslsessioncache",
    "sslsessioncachetimeout",
    "sslrandomseed",
    "sslpassphrasedialog",
    "sslsessiontickets",
    "typesconfig",
  ],
  ...[
    "addtype",
    "transferlog",
    "hostnamelookups",
    "startservers",
    "minsparethreads",
    "maxsparethreads",
    "threadsperchild",
  ],
  ...[
    "maxrequestworkers",
    "maxconnectionsperchild",
    "threadlimit",
    "serverlimit",
    "addoutputfilter",
    "setoutputfilter",
  ],
]);

export const reasons: Readonly<Record<string, string>> = {
  servername: "the gate responds to every name by which it is reached",
  serveralias: "the gate responds to every name by which it is reached",
  limitrequestbody: "the gate does not limit the size of a body",
  requestheader: "the gate sends the registry only headers that it knows; a login of its own is upstream.credentials",
  satisfy: "everybody has to sign in, and to meet every condition",
  authmerging: "only the lines of the innermost section count",
};

/** Further ones that cannot take a right away. */
const harmless =
  /^(?:header|errordocument|setenv|setenvif|setenvifnocase|unsetenv|options|allowoverride|proxy.*|oidc.*|authldap.*|authbasicauthoritative|rewrite.*|limitrequest.*|expires.*|ssl.*)$/;

/** Whether a directive may refuse requests in a way that is not known. */
export function mayRestrict({ name }: Directive): boolean {
  return !carried.has(name) && !needless.has(name) && !Object.hasOwn(reasons, name) && !harmless.test(name);
}

/** Names of directives as the documentation writes them, as far as they occur in notes. */
export function spelled(name: string): string {
  return spellings[name] ?? name;
}

const spellings: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "VirtualHost",
    "Location",
    "LocationMatch",
    "ProxyPass",
    "ServerName",
    "ServerAlias",
    "Require",
    "RequireAll",
    "RequireNone",
  ]
    .concat([
      "AuthBasicProvider",
      "AuthLDAPURL",
      "AuthLDAPBindPassword",
      "SSLProtocol",
      "SSLCertificateChainFile",
      "Listen",
    ])
    .concat([
      "Header",
      "RequestHeader",
      "LimitRequestBody",
      "Satisfy",
      "Deny",
      "Allow",
      "Order",
      "AuthType",
      "RewriteRule",
    ])
    .map((spelling) => [spelling.toLowerCase(), spelling]),
);
