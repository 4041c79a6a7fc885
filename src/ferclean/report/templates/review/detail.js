// The face to decide about: given and suggested label, bars, evidence, look-alikes.
const WIDE = matchMedia("(min-width: 60rem)");
const write = {
  share: percent,
  signed: (value) => `${value > 0 ? "+" : ""}${value.toFixed(2)}`,
  number: (value) => value.toFixed(2),
  count: (value) => String(value),
  flag: (value) => (value ? "yes" : "no"),
};

function showDetail() {
  const row = view.rows[view.at];
  find("card").hidden = row === undefined;
  find("nothing").hidden = row !== undefined;
  if (row === undefined) return;
  const given = className(page.given[row]), suggested = className(page.suggested[row]);
  const same = page.suggested[row] < 0 || suggested === given;
  putFace(find("face"), row, WIDE.matches ? 240 : 132);
  find("face").setAttribute("aria-label", `face labelled ${given}`);
  find("change").replaceChildren(
    ...(same ? [make("b", { textContent: given }), "?"] : [make("s", { textContent: given }), " → ", make("b", { textContent: suggested })]),
  );
  const verdict = page.verdicts[page.verdict[row]].replaceAll("_", " ");
  find("verdict").textContent = page.quality[row] === null
    ? `Called ${verdict}`
    : `Called ${verdict}; chance that ${given} is right: ${percent(page.quality[row])}`;
  showActions(given, suggested, same);
  showDecision(row);
  showBars(row);
  showEvidence(row);
  showNear(row);
  const path = page.paths[row] === page.ids[row] ? "" : ` · ${page.paths[row]}`;
  find("name").textContent = `${page.ids[row]}${path}`;
  find("announce").textContent =
    `${view.at + 1} of ${view.rows.length}: given ${given}, suggested ${suggested}, ${find("decided").textContent}`;
}

function showActions(given, suggested, same) {
  const button = (act) => document.querySelector(`[data-act="${act}"]`);
  button("accept").hidden = same;
  button("accept").querySelector("span").textContent = `Accept ${suggested}`;
  button("keep").querySelector("span").textContent = `Keep ${given}`;
  button("undo").disabled = past.length === 0;
}

function showDecision(row) {
  const found = decisionOf(row), line = find("decided");
  line.className = found ? found.decision : "";
  line.textContent = found
    ? `Decided: ${found.label || found.decision.replaceAll("_", " ")} (${found.reviewer}, ${found.time.slice(0, 10)})`
    : "Not decided";
  document.querySelector('[data-act="clear"]').disabled = !found;
}

function makeBar(row, code, share) {
  const key = CLASS_KEYS[code];
  const bar = make("button", { type: "button", className: "bar" },
    make("kbd", { textContent: key ? key.toUpperCase() : "" }),
    make("em", { textContent: page.classes[code] }),
    make("span", { className: "track" }, make("span")),
    make("i", { textContent: share === null ? "" : percent(share / 1000) }));
  bar.querySelector(".track span").style.width = `${(share || 0) / 10}%`;
  const decision = decisionOf(row), chosen = decision && decision.label === page.classes[code];
  bar.setAttribute("aria-pressed", String(Boolean(chosen)));
  bar.classList.toggle("given", page.given[row] === code);
  bar.title = page.given[row] === code ? "the given label" : "";
  bar.addEventListener("click", () => decide("label", code));
  return bar;
}

function showBars(row) {
  const flat = page.bars[row], shares = new Map();
  for (let k = 0; k < flat.length; k += 2) shares.set(flat[k], flat[k + 1]);
  const all = page.classes.length <= 12;
  const codes = all ? page.classes.map((_, code) => code) : [...new Set([...shares.keys(), page.given[row]])].filter((code) => code >= 0);
  find("bars").replaceChildren(...codes.map((code) => makeBar(row, code, shares.has(code) ? shares.get(code) : flat.length ? 0 : null)));
  const others = find("others"), select = others.querySelector("select");
  others.hidden = all;
  if (!all && select.options.length === 1) page.classes.forEach((name, code) => select.append(new Option(name, code)));
  select.value = "";
}

function showEvidence(row) {
  const silent = (each) => each.values[row] === null || (["count", "flag"].includes(each.kind) && !each.values[row]);
  const lines = page.evidence.filter((each) => !silent(each));
  find("evidence").replaceChildren(
    ...lines.map((each) => make("div", {}, make("dt", { textContent: each.words }), make("dd", { textContent: write[each.kind](each.values[row]) }))),
  );
}

function showNear(row) {
  const figures = page.near[row].map((face) => {
    const picture = make("div", { className: "face" }), label = className(page.given[face]);
    const as = { [page.suggested[row]]: "suggested", [page.given[row]]: "given" }[page.given[face]];
    putFace(picture, face, 76);
    const words = make("figcaption", {}, label, make("small", { textContent: as ? `as ${as}` : "another" }));
    return make("figure", { className: as || "", title: page.ids[face] }, picture, words);
  });
  find("near").replaceChildren(...(figures.length ? figures : [make("p", { className: "soft", textContent: "None are known." })]));
}
