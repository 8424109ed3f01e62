import type { RequestHandler } from "express";

/**
 * What all of the portal's pages say to browsers: no script, style or picture but the portal's own, in no frame, kept in no
 * cache, and nothing about them to other hosts.
 *
 * @param formTargets Gives origins beside the portal's to which a form may lead, such as that of a provider where users sign out.
 */
export function securityHeaders(formTargets: () => readonly string[]): RequestHandler {
  const policy = (): string =>
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "font-src 'self'",
      "connect-src 'self'",
      ["form-action 'self'", ...formTargets()].join(" "),
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; ");
  return (_request, response, next) => {
    response.set({
      "Content-Security-Policy": policy(),
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
      // Without a referrer at all, browsers hide the origin of our own forms too.
      "Referrer-Policy": "same-origin",
      "Cache-Control": "no-store",
    });
    next();
  };
}
