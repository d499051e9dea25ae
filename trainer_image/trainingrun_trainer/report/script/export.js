// Texts to be labelled anew, as a file for spreadsheets or a labelling tool. A table to export has the columns
// of the data set first (text, labels, context), then what the model says: labels, their probability, and more.

const joined = (labels) => labels.join(report.separator);
const flat = (row) => row.map((value) => (Array.isArray(value) ? joined(value) : value));

// What spreadsheets take for a formula, which may send data away or run a program; plain numbers are none.
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const isFormula = (value) => FORMULA.test(value) && !NUMBER.test(value);

/** A cell; behind an apostrophe, as OWASP advises, where it would be a formula. */
function cellOfCsv(value) {
  const shown = isFormula(value) ? `'${value}` : String(value);
  return /[",;\t\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

const csvOf = (columns, rows) =>
  [columns, ...rows.map(flat)].map((row) => `${row.map(cellOfCsv).join(",")}\r\n`).join("");

/** A row by its columns; of two of one name, the data set's comes first. */
const fieldsOf = (columns, row) =>
  Object.fromEntries(columns.map((name, n) => [name, row[n]]).filter(([name], n) => columns.indexOf(name) === n));

/** A task of Label Studio's: the row as its data, and the model's labels as a prediction to start from. */
function taskOf(columns, row) {
  const [labels, probability] = row.slice(2 + report.context.length);
  const chosen = { from_name: report.labelField, to_name: report.textField, type: "choices", value: { choices: labels } };
  const score = probability === "" ? {} : { score: Number(probability) };
  return {
    data: fieldsOf(columns, flat(row)),
    predictions: labels.length ? [{ model_version: report.name, ...score, result: [chosen] }] : [],
  };
}

/** A line of doccano's, whose columns have these names unless the import is told others. */
function lineOf(columns, row) {
  const [text, label] = row;
  return { ...fieldsOf(columns.slice(2), flat(row.slice(2))), text, label };
}

const FORMATS = {
  csv: {
    suffix: "csv",
    type: "text/csv;charset=utf-8",
    // The mark at the start makes spreadsheets read UTF-8.
    write: (columns, rows) => `\ufeff${csvOf(columns, rows)}`,
  },
  labelStudio: {
    suffix: "label-studio.json",
    type: "application/json",
    write: (columns, rows) => JSON.stringify(rows.map((row) => taskOf(columns, row)), null, 1),
  },
  doccano: {
    suffix: "doccano.jsonl",
    type: "application/jsonl",
    write: (columns, rows) => rows.map((row) => `${JSON.stringify(lineOf(columns, row))}\n`).join(""),
  },
};

/** Save rows in a format, and say how many there are, and what is not as in the data. */
function save(name, format, columns, rows, left, note) {
  const { suffix, type, write } = FORMATS[format];
  const link = make("a", {
    href: URL.createObjectURL(new Blob([write(columns, rows)], { type })),
    download: `${report.name}-${name}.${suffix}`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click
  const exported = `${several(rows.length, "text")} exported`;
  announce(exported);
  const guarded = format === "csv" ? [columns, ...rows.map(flat)].flat().filter(isFormula).length : 0;
  note.textContent =
    exported +
    (left ? `; ${several(left, "text")} cut on this page left out` : "") +
    (guarded ? `; ${several(guarded, "cell")} begun with an apostrophe, so that no spreadsheet takes it for a formula` : "");
}

/** Do something with the format whose button is pressed. */
function onExport(id, act) {
  for (const button of byId(id).querySelectorAll("button")) {
    button.addEventListener("click", () => act(button.dataset.format));
  }
}

// Half a text with a label would teach the next model something else, so those that are cut are left out.

function exportTexts(found, format) {
  const whole = found.filter((text) => !text.cut);
  const names = (labels) => labels.map((label) => report.labels[label]);
  const columns = [report.textField, report.labelField, ...report.context, "predicted", "probability", "loss", "source", "row"];
  const rows = whole.map((text) => [
    text.text,
    names(text.labels),
    ...report.context.map((_, n) => text.fields[n] ?? ""),
    names(text.predicted),
    text.probable[0]?.share ?? "",
    text.loss ?? "",
    text.source,
    text.row,
  ]);
  save("texts", format, columns, rows, found.length - whole.length, byId("texts-count"));
}

/** The label issues that are seen, under the names that the table's headings have in the data set. */
function exportLabelIssues(table, format) {
  const seen = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  const whole = seen.filter((row) => !("cut" in row.dataset));
  const columns = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.field);
  const isLabel = (n) => n === 1 || n === 2 + report.context.length;
  const valueOf = (cell) => cell.dataset.value ?? cell.textContent;
  const rows = whole.map((row) => [...row.cells].map((cell, n) => (isLabel(n) ? [valueOf(cell)] : valueOf(cell))));
  save("mislabelled", format, columns, rows, seen.length - whole.length, byId("label-issues-count"));
}
