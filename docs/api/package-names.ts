import { readFileSync } from "node:fs";
import { type Application, Converter, ReflectionKind } from "typedoc";

/** A plugin of TypeDoc: calls the module of each package by the name that its users import. */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return;
    const source = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    if (source === undefined) return;
    const { name }: { name: string } = JSON.parse(
      readFileSync(source.replace(/src\/index\.ts$/, "package.json"), "utf8"),
    );
    reflection.name = name;
  });
}
