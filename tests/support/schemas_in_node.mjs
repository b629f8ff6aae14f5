// Check schemas of JSON Schema 2020-12 and values with ajv: a JSON array of {schema, values} comes in, and an array of
// arrays of booleans goes out, true for a value that its schema accepts.
import fs from "node:fs";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";

const ajv = formats(new Ajv({ strict: true, allowUnionTypes: true, validateFormats: true }));
const cases = JSON.parse(fs.readFileSync(0, "utf8"));
const verdicts = cases.map(({ schema, values }) => {
  const accepts = ajv.compile(schema);
  return values.map((value) => accepts(value));
});
process.stdout.write(JSON.stringify(verdicts));
