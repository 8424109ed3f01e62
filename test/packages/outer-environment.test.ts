import { expect, test } from "vitest";
import { outerEnvironment } from "./outer-environment.ts";

test("gives back the environment of the process that called a script of pnpm", () => {
  const environment = outerEnvironment({
    PATH: "/w/node_modules/.bin:/home/u/.npm/_npx/1/node_modules/.bin:/home/u/bin:/usr/bin",
    HOME: "/home/u",
    NODE: "/w/node_modules/.bin/node",
    NODE_EXTRA_CA_CERTS: "/etc/ca.crt",
    INIT_CWD: "/w/docs",
    npm_command: "run-script",
    npm_config_prefix: "/home/u/.local",
    npm_config_registry: "https://packages.example.com/",
    npm_config_user_agent: "pnpm/12",
    npm_execpath: "/home/u/.npm/_npx/1/node_modules/pnpm/pnpm",
    npm_lifecycle_event: "install:command",
    npm_package_name: "workspace",
    pnpm_config_verify_deps_before_run: "false",
  });
  expect(environment).toEqual({
    PATH: "/home/u/bin:/usr/bin",
    HOME: "/home/u",
    NODE_EXTRA_CA_CERTS: "/etc/ca.crt",
    npm_config_prefix: "/home/u/.local",
    npm_config_registry: "https://packages.example.com/",
  });
});
