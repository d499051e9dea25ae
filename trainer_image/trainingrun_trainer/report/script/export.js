// The texts found as a CSV file, to be labelled anew: columns as the data set has them, then what the model says.

// What spreadsheets take for a formula, which may send data away or run a program; plain numbers are none.
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const isFormula = (value) => FORMULA.test(value) && !NUMBER.test(value);

/** A cell; behind an apostrophe, as OWASP advises, where it would be a formula. */
function cellOfCsv(value) {
  const shown = isFormula(value) ? `'${value}` : String(value);
  return /[",;\t\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

const csvOf = (rows) => rows.map((row) => `${row.map(cellOfCsv).join(",")}\r\n`).join("");

function rowsOf(found) {
  const heading = [report.textField, report.labelField, ...report.context, "predicted", "probability", "loss", "source", "row"];
  const joined = (labels) => labels.map((label) => report.labels[label]).join(report.separator);
  const rows = found.map((text) => [
    text.text,
    joined(text.labels),
    ...report.context.map((_, n) => text.fields[n] ?? ""),
    joined(text.predicted),
    text.probable[0]?.share ?? "",
    text.loss ?? "",
    text.source,
    text.row,
  ]);
  return [heading, ...rows];
}

/** Save rows, the first of which is the heading, and say how many there are, and what is not as in the data. */
function saveCsv(name, rows, left, note) {
  const link = make("a", {
    // The mark at the start makes spreadsheets read UTF-8.
    href: URL.createObjectURL(new Blob(["\ufeff", csvOf(rows)], { type: "text/csv;charset=utf-8" })),
    download: `${report.name}-${name}.csv`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click
  const exported = `${several(rows.length - 1, "text")} exported`;
  announce(exported);
  const guarded = rows.flat().filter(isFormula).length;
  note.textContent =
    exported +
    (left ? `; ${several(left, "text")} cut on this page left out` : "") +
    (guarded ? `; ${several(guarded, "cell")} begun with an apostrophe, so that no spreadsheet takes it for a formula` : "");
}

// Half a text with a label would teach the next model something else, so those that are cut are left out.

function exportTexts(found) {
  const whole = found.filter((text) => !text.cut);
  saveCsv("texts", rowsOf(whole), found.length - whole.length, byId("texts-count"));
}

/** The rows of a table that are seen, under the names that its headings have in the data set. */
function exportTable(table, name, note) {
  const seen = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  const whole = seen.filter((row) => !("cut" in row.dataset));
  const heading = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.field);
  const rows = whole.map((row) => [...row.cells].map((cell) => cell.dataset.value ?? cell.textContent));
  saveCsv(name, [heading, ...rows], seen.length - whole.length, note);
}
