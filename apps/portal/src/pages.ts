import { fileURLToPath } from "node:url";
import type { Principal, RegistryProxy } from "@registry-gate/core";
import express, { type RequestHandler, type Router } from "express";
import { formToken, requireFormToken } from "./form-token.ts";
import { loginPage, repositoriesPage } from "./html.ts";
import type { Login } from "./login.ts";
import { asSignedIn } from "./signed-in-user.ts";

const browserFiles = fileURLToPath(new URL("./browser", import.meta.url));
/** As many as fit into a target that every server takes. */
const mostRepositories = 50;

/** The portal's own pages. */
export function pages(registry: RegistryProxy, { judgeForm }: Login): Router {
  const router = express.Router();
  router.use(headers);
  router.use("/browser", express.static(browserFiles, { index: false }));
  router.use(express.urlencoded({ extended: false, limit: "10kb" }));

  router.get("/login", (request, response) => {
    response.send(loginPage({ token: formToken(request), failed: false }));
  });
  router.post("/login", requireFormToken, judgeForm, (_request, response) => response.redirect(303, "/"));
  router.get("/login/failed", (request, response) => {
    response.send(loginPage({ token: formToken(request), failed: true }));
  });
  router.post("/logout", requireFormToken, (request, response, next) => {
    request.logout((error: unknown) => (error ? next(error) : response.redirect(303, "/login")));
  });

  router.use((request, response, next) => (request.user === undefined ? response.redirect(303, "/login") : next()));
  router.get("/", (request, response) => {
    const { username } = asSignedIn(request.user);
    response.send(repositoriesPage({ token: formToken(request), username }));
  });
  // What the page greys out. Whether a request is allowed is judged when it comes.
  router.get("/permissions", (request, response) => {
    const identity = { ...asSignedIn(request.user), backend: "portal" };
    const caller: Principal = { kind: "user", identity, via: "session" };
    const names = [request.query.repository ?? []].flat().filter((name) => typeof name === "string");
    if (names.length > mostRepositories) {
      response.status(400).json({ error: `ask for at most ${mostRepositories} repositories at once` });
      return;
    }
    response.json(Object.fromEntries(names.map((name) => [name, registry.permissions(caller, name)])));
  });
  return router;
}

const headers: RequestHandler = (_request, response, next) => {
  response.set({
    "Content-Security-Policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; " +
      "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    // Without a referrer at all, browsers hide the Origin of our own forms too.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
  });
  next();
};
