// The matrix and the texts behind it, when the page has been read.

if (byId("doubts")) {
  const table = byId("doubts-table");
  searchable(byId("doubts-find"), table);
  byId("doubts-export").addEventListener("click", () => exportTable(table, "mislabelled", byId("doubts-count")));
}
if (byId("texts")) startTexts();
if (byId("matrix-frame") && size) {
  startMatrix();
  startKeyboard((trueLabel, predicted) => byId("texts") && openTexts(trueLabel, predicted));
}
for (const button of document.querySelectorAll("button[data-true]")) {
  button.addEventListener("click", () => openTexts(Number(button.dataset.true), Number(button.dataset.predicted ?? -1)));
}
