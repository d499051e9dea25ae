// The texts found as a CSV file, to be labelled anew: columns as the data set has them, then what the model says.

const quoted = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

function csvOf(found) {
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
  return [heading, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

function exportTexts(found) {
  // Half a text with a label would teach the next model something else.
  const whole = found.filter((text) => !text.cut);
  const link = make("a", {
    // The mark at the start makes spreadsheets read UTF-8.
    href: URL.createObjectURL(new Blob(["\ufeff", csvOf(whole)], { type: "text/csv;charset=utf-8" })),
    download: `${report.name}-texts.csv`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click
  const left = found.length - whole.length;
  announce(`${several(whole.length, "text")} exported`);
  byId("texts-count").textContent =
    several(whole.length, "text") + " exported" + (left ? `; ${left} are cut on this page and left out` : "");
}
