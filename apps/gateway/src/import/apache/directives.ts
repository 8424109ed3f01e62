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
export function mayRestrict(directive: Directive): boolean {
  const { name } = directive;
  if (isRefusal(directive) || name === "include-missing") return true;
  return !carried.has(name) && !needless.has(name) && !Object.hasOwn(reasons, name) && !harmless.test(name);
}

/** Whether a directive that is commonly harmless refuses requests, or has outer sections refuse them too. */
function isRefusal({ name, parameters }: Directive): boolean {
  if (name === "rewriterule") return /\b(?:F|forbidden|G|gone|R=[45]\d\d)\b/i.test(parameters[2] ?? "");
  return name === "authmerging" && parameters[0]?.toLowerCase() === "and";
}

/** Whether a directive outside of all sections may refuse requests, or hold sections that do. */
export function mayRestrictOutside(directive: Directive): boolean {
  const { name } = directive;
  return isRefusal(directive) || name === "include-missing" || name === "use";
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
    .concat(["AuthMerging", "ProxyPassMatch", "Use"])
    .map((spelling) => [spelling.toLowerCase(), spelling])
    .concat([["include-missing", "Include"]]),
);
