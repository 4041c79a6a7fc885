// Bring the parts together.
function go(place) {
  if (!view.rows.length) return;
  const before = cells.get(view.at);
  view.at = Math.min(Math.max(0, place), view.rows.length - 1);
  if (before) before.setAttribute("aria-selected", "false");
  showInList();
  const cell = cells.get(view.at);
  if (cell) cell.setAttribute("aria-selected", "true");
  showDetail();
}

const move = (step) => go(view.at + step);

// Decide about the face that is shown, and go on to the next one without a decision.
function decide(act, code) {
  const row = view.rows[view.at];
  if (row === undefined) return;
  if (act === "clear") {
    if (decisionOf(row)) change([[page.ids[row], null]], "clear");
    return;
  }
  const label = { accept: page.suggested[row], keep: page.given[row], label: code }[act];
  if (act === "accept" && label < 0) return;
  change([[page.ids[row], makeDecision(row, act, label)]], "decide");
  go(nextOpen(view.at, view.at));
}

function takeBack() {
  const id = undo();
  const place = id === null ? -1 : view.rows.indexOf(rowOf.get(id));
  if (place >= 0) go(place);
}

function showProgress() {
  find("progress").max = Math.max(1, page.rows);
  find("progress").value = decidedRows;
  find("count").textContent = `${decidedRows.toLocaleString("en")} of ${page.rows.toLocaleString("en")} decided`;
}

listeners.push((entries, source) => {
  if (source === "load") return;
  // One decision changes one face; what is shown next is shown by whoever moves on.
  if (entries.length > 1) cells.forEach(paintCell);
  else paintRow(rowOf.get(entries[0][0]));
  showProgress();
  if (source !== "decide") showDetail();
});

function showFiltered() {
  filterRows();
  layList(true);
  showInList();
  showDetail();
}

form.addEventListener("input", showFiltered);
form.addEventListener("submit", (event) => event.preventDefault());
find("reviewer").addEventListener("change", (event) => {
  reviewer = event.target.value.trim();
  keepName();
});
find("export").addEventListener("click", exportCsv);
find("import").addEventListener("click", () => find("file").click());
find("file").addEventListener("change", async (event) => {
  if (event.target.files.length) await importCsv(event.target.files[0]);
  event.target.value = "";
});
find("help").addEventListener("click", () => find("keys").showModal());
find("others").addEventListener("change", (event) => {
  if (event.target.value !== "") decide("label", Number(event.target.value));
});
document.querySelectorAll("[data-act]").forEach((button) => {
  const acts = { previous: () => move(-1), next: () => move(1), undo: takeBack };
  button.addEventListener("click", acts[button.dataset.act] || (() => decide(button.dataset.act)));
});
WIDE.addEventListener("change", showDetail);

async function start() {
  find("filters").open = WIDE.matches;
  const last = Math.min(page.classes.length, CLASS_KEYS.length) - 1;
  find("class-keys").append(make("kbd", { textContent: "1" }), " … ", make("kbd", { textContent: CLASS_KEYS[last].toUpperCase() }));
  fillFilters();
  measureList();
  await load();
  find("reviewer").value = reviewer;
  showFiltered();
  go(nextOpen(-1, 0));
  showProgress();
  list.focus({ preventScroll: true });
  document.documentElement.dataset.ready = "yes";
}

start();
