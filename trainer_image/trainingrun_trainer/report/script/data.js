// What the page knows: labels, cells of the confusion matrix, texts.

const report = JSON.parse(byId("data-of-report").textContent);
const size = report.labels.length;

const texts = report.texts.map(
  ([row, text, cut, context, source, labels, predicted, probable, loss]) => ({
    row,
    text,
    cut: Boolean(cut),
    context: context.flatMap((value, n) => (value === "" ? [] : `${report.context[n] ?? "context"}: ${value}`)),
    fields: context,
    source: report.sources[source],
    labels,
    predicted,
    loss,
    probable: Array.from({ length: probable.length / 2 }, (_, n) => ({
      label: probable[2 * n],
      share: probable[2 * n + 1] / 1000,
    })),
    right: labels.length === predicted.length && labels.every((label) => predicted.includes(label)),
    sought: [text, ...context].join("\n").toLowerCase(),
  }),
);

const counts = new Map();
for (let n = 0; n < report.cells.length; n += 3) {
  counts.set(report.cells[n] * size + report.cells[n + 1], report.cells[n + 2]);
}

const countOf = (trueLabel, predicted) => counts.get(trueLabel * size + predicted) ?? 0;
const shareOf = (trueLabel, predicted) =>
  report.support[trueLabel] ? countOf(trueLabel, predicted) / report.support[trueLabel] : 0;

const named = (labels) => labels.map((label) => report.labels[label]).join(", ") || "none";
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const several = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
