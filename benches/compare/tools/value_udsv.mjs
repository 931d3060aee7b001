// The job with Node and uDSV: value_udsv.mjs CATALOGUE LOOKUPS OUTPUT

import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { once } from "node:events";
import { inferSchema, initParser } from "udsv";

const [catalogue, lookups, output] = process.argv.slice(2);
const COMET_CLASSES = new Set(["COM", "CTc", "ETc", "HTC", "HYP", "JFc", "JFC", "PAR"]);
const G = 6.673e-20;
const PARKING = 7.727 / 29.784;
const CHUNK_BYTES = 1 << 20;

function lookup(name, read) {
  const text = readFileSync(`${lookups}/${name}.csv`, "utf8");
  const rows = initParser(inferSchema(text)).stringArrs(text);
  return new Map(rows.map(([key, ...values]) => [key, read(...values)]));
}

const deltaV = lookup("delta-v", Number);
const masses = lookup("masses", Number);
const known = lookup("known", String);
const tholen = lookup("tholen", String);
const compositions = lookup("compositions", (price, saved, density) => ({
  pricePerKg: Number(price), savedPerKg: Number(saved), density: Number(density),
}));
const COMET = { price: -1, saved: -1e-5, closeness: -1, profit: -1, score: -2e-12 };

// JSON.stringify leaves out what is undefined.
const figure = (text) => (text === "" ? undefined : Number(text));
const word = (text) => (text === "" ? undefined : text);
const flag = (text) => (text === "" ? undefined : text === "Y");
const root = (x) => Math.sqrt(Math.max(x, 0));
const f = (k, x) => 1 / (1 + Math.exp(k * x));

// Benner's equations.
function rendezvous(a, e, i) {
  if (!(a > 0 && e < 1) || i === undefined) return undefined;
  const ad = a * (1 + e);
  const c = Math.cos((i * Math.PI) / 180 / 2);
  const isAmor = a >= 1 && a * (1 - e) > 1;
  const axis = 2 / (ad + 1);
  const isAten = a < 1;
  const ut2 = isAten ? 2 - 2 * c * root(2 * ad - ad * ad) : 3 - axis - 2 * c * root(axis * ad);
  const uc2 = isAten
    ? 3 / ad - 1 - (2 / ad) * root(2 - ad)
    : 3 / ad - axis - (2 / ad) * (isAmor ? c : 1) * root(axis);
  const ur2 = 3 / ad - 1 / a - (2 / ad) * (isAmor ? 1 : c) * root((a * (1 - e * e)) / ad);
  const speed = root(ut2 + 2 * PARKING ** 2) - PARKING + Math.abs(root(uc2) - root(ur2));
  return 30 * speed + 0.5;
}

function spectralType(row, alias, isComet) {
  const own = row[at.spec_B].trim().replaceAll(":", "").trim();
  if (own) return [own === "C type" ? "C" : own, "spec_B"];
  const translated = tholen.get(row[at.spec_T].trim());
  if (translated) return [translated, "spec_T"];
  const type = known.get(row[at.pdes]) ?? known.get(alias) ?? known.get(row[at.name]);
  if (type) return [type, "known-body"];
  return [isComet ? "comet" : "?", undefined];
}

function massOf(givenGm, gm, diameter, density, isValued) {
  if (gm !== undefined) {
    const mass = gm / G;
    return [mass > 1e18 ? mass * 1e-6 : mass, givenGm === undefined ? "published" : "gm"];
  }
  if (!isValued) return [undefined, undefined];
  if (diameter === undefined) return [1.47e15, "default"];
  return [(4 / 3) * Math.PI * (diameter / 2) ** 3 * density / 6 * 1e15, "from-diameter"];
}

function valueOf(mass, composition, a, q, ad, dv = 12) {
  const reach = 50 * (1 + f(1, 1.3 * dv - 6));
  const isNear = ad <= 50 && a !== undefined && q !== undefined;
  const closeness = isNear ? (f(0.9, ad) + f(0.45, a) + f(0.9, q) + reach + 1) ** 2 : -1;
  const price = mass * composition.pricePerKg;
  const score = Math.min(price, 1e10) / 5e11;
  return {
    price,
    saved: mass * (composition.savedPerKg - 2200 / 3) * 1e-5,
    closeness,
    profit: (((price / 12) * closeness) / 3417.5490736698116) * (12 / dv),
    score: score > 1e-4 ? score + closeness / 20 : score,
  };
}

function item(row) {
  const fullName = row[at.full_name].trim();
  const open = fullName.lastIndexOf("(");
  const alias = open < 0 ? "" : fullName.slice(open);
  const isComet = COMET_CLASSES.has(row[at.class]);
  const [spec, specSource] = spectralType(row, alias, isComet);
  const isValued = spec !== "comet";
  const composition = compositions.get(spec) ?? compositions.get("?");

  const [e, a, q, ad, i] = [row[at.e], row[at.a], row[at.q], row[at.ad], row[at.i]].map(figure);
  const isEllipse = e < 1;
  const fullA = a ?? (isEllipse && q !== undefined ? q / (1 - e) : undefined);
  const isComplete = isEllipse && fullA !== undefined;
  const fullQ = q ?? (isComplete ? fullA * (1 - e) : undefined);
  const fullAd = ad ?? (isComplete ? fullA * (1 + e) : undefined);

  const listed = deltaV.get(row[at.pdes]) ?? deltaV.get(alias);
  const dv = listed ?? rendezvous(fullA, e, i);
  const [h, albedo, measured, givenGm] = [row[at.H], row[at.albedo], row[at.diameter], row[at.GM]].map(figure);
  const diameter = measured ?? (h === undefined ? undefined : (1329 / Math.sqrt(albedo ?? 0.15)) * 10 ** (-0.2 * h));
  const published = masses.get(row[at.pdes]) ?? masses.get(alias);
  const gm = givenGm ?? (published === undefined ? undefined : published * G);
  const [mass, massSource] = massOf(givenGm, gm, diameter, composition.density, isValued);
  const value = isValued ? valueOf(mass, composition, fullA, fullQ, fullAd, dv) : COMET;
  return {
    designation: row[at.pdes],
    spkid: Number(row[at.spkid]),
    full_name: fullName,
    name: word(row[at.name]),
    kind: isComet ? "comet" : "asteroid",
    class: row[at.class],
    neo: flag(row[at.neo]),
    pha: flag(row[at.pha]),
    spec,
    spec_source: specSource,
    h,
    albedo,
    diameter_km: diameter,
    diameter_source: measured !== undefined ? "measured" : diameter !== undefined ? "from-h" : undefined,
    gm,
    mass_kg: mass,
    mass_source: massSource,
    dv_kms: dv,
    dv_source: listed !== undefined ? "benner" : dv !== undefined ? "computed" : undefined,
    a,
    e,
    i,
    om: figure(row[at.om]),
    w: figure(row[at.w]),
    ma: figure(row[at.ma]),
    epoch: figure(row[at.epoch]),
    q,
    ad,
    per: figure(row[at.per]),
    moid: figure(row[at.moid]),
    condition_code: word(row[at.condition_code]),
    ...value,
  };
}

const out = createWriteStream(output);
let lines = "";
let at; // Where each column stands in a row.
const take = (row) => {
  lines += JSON.stringify(item(row)) + "\n";
};
let parser;
for await (const chunk of createReadStream(catalogue, { encoding: "utf8", highWaterMark: CHUNK_BYTES })) {
  if (!parser) {
    parser = initParser(inferSchema(chunk));
    at = Object.fromEntries(parser.schema.cols.map((column, index) => [column.name, index]));
  }
  parser.chunk(chunk, parser.stringArrs, take);
  const isFull = !out.write(lines);
  lines = "";
  if (isFull) await once(out, "drain");
}
parser.end();
out.end(lines);
await once(out, "finish");
