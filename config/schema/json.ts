import { z } from "zod";

/** A JSON schema node. */
export type Json = Record<string, unknown>;

/** JSON schema (draft 2020-12) of a part of the config as the operator writes it, with every key's doc line, unit and examples. */
export function jsonSchemaOf(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      // zod leaves these out where a transform follows: they could be of the output. Ours are always what the operator writes.
      const meta = z.globalRegistry.get(zodSchema);
      if (Array.isArray(meta?.["examples"])) jsonSchema.examples = meta["examples"];
      if (meta?.["default"] !== undefined) jsonSchema.default = meta["default"];
      // Every integer is a safe one to zod; editors and docs need not be told.
      for (const bound of ["minimum", "maximum"] as const) {
        if (Math.abs(jsonSchema[bound] ?? 0) >= Number.MAX_SAFE_INTEGER) delete jsonSchema[bound];
      }
    },
  });
}
