import { createHash } from "node:crypto";
import { z } from "@registry-gate/auth-kit";
import type { Request, Response } from "express";
import { EncryptJWT, jwtDecrypt } from "jose";
import { currentSecrets, type Secrets } from "../../sessions/secrets.ts";

/** What a browser carries from the portal to the provider and back. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where the user goes on. */
  readonly to: string;
}

/** Keeps {@link Pending} in the browser that began: nothing is kept here of who only looks at the sign-in page. */
export interface SealedCookie {
  write(response: Response, pending: Pending): Promise<void>;
  /** @returns `undefined` where there is none, or it was made by nobody here, or too long ago. */
  read(request: Request): Promise<Pending | undefined>;
  clear(response: Response): void;
}

/** For how long somebody may take at the provider. */
const lifetime = "15m";
const audience = "registry-gate-portal";

const pendingSchema: z.ZodType<Pending> = z.object({
  state: z.string().min(1),
  nonce: z.string().min(1),
  verifier: z.string().min(1),
  to: z.string(),
});

export function sealedCookie(secrets: Secrets, secure: boolean): SealedCookie {
  const name = secure ? "__Host-portal-oidc" : "portal-oidc";
  const attributes = { httpOnly: true, sameSite: "lax", secure, path: "/" } as const;

  return {
    async write(response, pending) {
      const [current = ""] = currentSecrets(secrets);
      const sealed = await new EncryptJWT({ ...pending })
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .setAudience(audience)
        .setExpirationTime(lifetime)
        .encrypt(keyOf(current));
      response.cookie(name, sealed, attributes);
    },
    async read(request) {
      const values = (request.headers.cookie ?? "")
        .split(/; */)
        .filter((pair) => pair.startsWith(`${name}=`))
        .map((pair) => pair.slice(name.length + 1));
      const [sealed] = values;
      if (sealed === undefined || values.length > 1) return undefined;
      for (const secret of currentSecrets(secrets)) {
        try {
          const { payload } = await jwtDecrypt(sealed, keyOf(secret), { audience });
          return pendingSchema.safeParse(payload).data;
        } catch {
          // By an older secret, perhaps.
        }
      }
      return undefined;
    },
    clear: (response) => void response.clearCookie(name, attributes),
  };
}

/** Of another purpose than the signatures that the same secret makes. */
function keyOf(secret: string): Uint8Array {
  return createHash("sha256").update(`the sealed cookie of ${secret}`).digest();
}
