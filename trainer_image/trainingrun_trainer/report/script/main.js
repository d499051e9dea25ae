// The matrix and the texts behind it, when the page has been read.

if (byId("label-issues")) {
  const table = byId("label-issues-table");
  searchable(byId("label-issues-find"), table);
  onExport("label-issues-export", (format) => exportLabelIssues(table, format));
}
if (byId("texts")) startTexts();
if (byId("matrix-frame") && size) {
  startMatrix();
  startKeyboard((trueLabel, predicted) => byId("texts") && openTexts(trueLabel, predicted));
}
for (const button of document.querySelectorAll("button[data-true]")) {
  button.addEventListener("click", () => openTexts(Number(button.dataset.true), Number(button.dataset.predicted ?? -1)));
}
