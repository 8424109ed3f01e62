// Strategies that bring no types: what the tests use of them.

type Done = (error: unknown, user?: unknown, info?: unknown) => void;

declare module "passport-http" {
  export class BasicStrategy {
    name: string;
    constructor(verify: (username: string, password: string, done: Done) => void);
    authenticate(request: unknown): void;
  }
}

declare module "passport-local" {
  export class Strategy {
    name: string;
    constructor(
      options: { readonly usernameField?: string; readonly passwordField?: string },
      verify: (username: string, password: string, done: Done) => void,
    );
    authenticate(request: unknown, options?: object): void;
  }
}

declare module "passport-http-bearer" {
  export class Strategy {
    name: string;
    constructor(verify: (token: string, done: Done) => void);
    authenticate(request: unknown): void;
  }
}

declare module "passport-jwt" {
  export const ExtractJwt: { fromAuthHeaderAsBearerToken(): (request: unknown) => string | null };
  export class Strategy {
    name: string;
    constructor(
      options: {
        readonly secretOrKey: string;
        readonly algorithms: readonly string[];
        readonly issuer: string;
        readonly jwtFromRequest: (request: unknown) => string | null;
      },
      verify: (payload: { readonly sub: string; readonly exp: number }, done: Done) => void,
    );
    authenticate(request: unknown): void;
  }
}

declare module "passport-ldapauth" {
  class Strategy {
    name: string;
    constructor(options: object);
    authenticate(request: unknown, options?: object): void;
  }
  export default Strategy;
}

declare module "passport-openidconnect" {
  class Strategy {
    name: string;
    constructor(options: object, verify: (issuer: string, profile: object, done: Done) => void);
    authenticate(request: unknown, options?: object): void;
  }
  export default Strategy;
}
