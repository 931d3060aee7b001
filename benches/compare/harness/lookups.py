"""The lookup files that every tool is given: what Prospector has built in or reads, as plain CSV.

A body is looked up by its primary designation (the number of a numbered body) and, where that finds nothing, by its
alias: what stands in the parentheses of its full name, with them. So a file has a row for each name that a body may
be looked up by, and no tool has to know more than two equalities.
"""

import csv
import io
import json
import subprocess

WATER, HYDROGEN, NITROGEN, AMMONIA = 0.01, 3.65808137, 0.074094, 0.01
IRON, NICKEL, NICKEL_IRON, COBALT = 2e-7, 2e-5, 1.01e-5, 0.20
PLATINUM, MAGNESIUM_SILICATE, IRON_SILICATE, ALUMINUM = 2.0, 1e-25, 0.0, 0.05

METALLIC = [(IRON, 88), (NICKEL, 10), (COBALT, 0.5)]
GASES = [(HYDROGEN, 0.235), (NITROGEN, 0.001), (AMMONIA, 0.001)]

# What bodies of these types are made of: price in $/kg and per cent of the mass (Asterank).
COMPOSITIONS = {
    "C Ch Cg Cgh": [(WATER, 0.2), (IRON, 0.166), (NICKEL, 0.014), (COBALT, 0.002), *GASES],
    "Cb K": [(WATER, 0.1), (IRON, 0.083), (NICKEL, 0.007), (COBALT, 0.001), *GASES],
    "B": [*GASES, (IRON, 10)],
    "D": [(WATER, 0.000023)],
    "P": [(WATER, 12.5)],
    "T": [(IRON, 6)],
    "Q": [(NICKEL_IRON, 13.315)],
    "O": [(NICKEL_IRON, 2.965), (PLATINUM, 1.25)],
    "M X Xe Xk": METALLIC,
    "Xc": [*METALLIC, (PLATINUM, 0.005)],
    "L": [(MAGNESIUM_SILICATE, 1e-30), (IRON_SILICATE, 0), (ALUMINUM, 7)],
    "S Sq Sr Sk Sl S(IV) R V Ld": [(MAGNESIUM_SILICATE, 1e-30), (IRON_SILICATE, 0)],
    "Sa": [(MAGNESIUM_SILICATE, 5e-31), (IRON_SILICATE, 0)],
    "A E U ?": [],
}

# Tholen's types that the model takes over, and bodies whose type it knows although the catalogue does not.
THOLEN = dict(M="M", E="M", P="P", B="B", C="C", F="C", G="Cgh", Q="Q", R="R", V="V", T="T", D="D", A="A")
KNOWN = {"2012 DA14": "L", "1986 DA": "M", "2011 UW158": "Xc"}
KNOWN_NAMES = {"Bennu": "B"}


def density(spectral_type):
    """g/cm³, by the type's first letter."""
    letter = spectral_type[0].upper()
    return 1.38 if letter in "CDPTBGF" else 2.71 if letter in "SKQVRA" else 5.32 if letter == "M" else 2.0


def compositions():
    for types, parts in COMPOSITIONS.items():
        price = sum(dollars * per_cent / 100 for dollars, per_cent in parts)
        saved = sum(2200 * per_cent / 100 for _, per_cent in parts)
        for spectral_type in types.split():
            yield spectral_type, price, saved, density(spectral_type)


def by_name(rows, figure):
    """A row for each name of a body. One of another number is not to be found by its alias."""
    for row in rows:
        number, designation = row.get("number"), row.get("designation")
        if number:
            yield number, row[figure]
        if designation:
            yield designation, row[figure]
        if designation and not number:
            yield f"({designation})", row[figure]


def write(file, columns, rows):
    with open(file, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def make(folder, prospector, repository):
    """Writes the lookup files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [prospector, "delta-v", repository / "data/delta-v.html"]
    table = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    write(folder / "delta-v.csv", ["key", "listed_dv"], by_name(table["rows"], "dv_kms"))

    text = (repository / "engine/data/masses.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    masses = csv.DictReader(io.StringIO("\n".join(lines)))
    write(folder / "masses.csv", ["key", "published_mass"], by_name(masses, "mass_kg"))

    names = [*KNOWN.items(), *((f"({name})", known) for name, known in KNOWN.items()), *KNOWN_NAMES.items()]
    write(folder / "known.csv", ["key", "known_spec"], names)
    write(folder / "tholen.csv", ["spec_T", "tholen_spec"], THOLEN.items())
    write(folder / "compositions.csv", ["spec", "price_per_kg", "saved_per_kg", "density"], compositions())
