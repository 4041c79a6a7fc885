// The list of faces: only those in sight exist as elements, so that thousands stay smooth.
const list = find("list"), room = find("room");
const FACE = 88, CELL = { width: 104, height: Math.round((FACE * page.sheets.height) / page.sheets.width) + 44 };
const MARKS = { keep: "✓", relabel: "→", ambiguous: "?", not_a_face: "×" };
const cells = new Map();
// Measured when they change: to ask the browser in between would make it lay everything out anew.
const sight = { width: 0, height: 0, top: 0 };
let across = 1;

function makeCell(place) {
  const row = view.rows[place];
  const face = make("div", { className: "face" }), mark = make("b", { className: "mark" });
  const words = make("span", { className: "words" });
  const cell = make("div", { id: `place-${place}`, className: "cell" }, face, mark, words);
  cell.setAttribute("role", "option");
  cell.setAttribute("aria-setsize", view.rows.length);
  cell.setAttribute("aria-posinset", place + 1);
  cell.addEventListener("click", () => {
    go(place);
    if (!WIDE.matches) find("detail").scrollIntoView();
  });
  putFace(face, row, FACE);
  cell.style.transform = `translate(${(place % across) * CELL.width}px, ${Math.floor(place / across) * CELL.height}px)`;
  paintCell(cell, place);
  return cell;
}

function paintCell(cell, place) {
  const row = view.rows[place], decision = decisionOf(row);
  const [, mark, words] = cell.children;
  cell.setAttribute("aria-selected", String(place === view.at));
  cell.classList.toggle("decided", Boolean(decision));
  mark.textContent = decision ? MARKS[decision.decision] : "";
  mark.className = `mark ${decision ? decision.decision : ""}`;
  const given = className(page.given[row]);
  const other = decision ? decision.label : className(page.suggested[row]);
  words.textContent = other && other !== given ? `${given} → ${other}` : given;
  cell.setAttribute("aria-label", `${words.textContent}${decision ? `, decided: ${decision.decision.replaceAll("_", " ")}` : ""}`);
}

function paintRow(row) {
  for (const [place, cell] of cells) if (view.rows[place] === row) paintCell(cell, place);
}

// Lay the cells in sight out; with `anew` those that exist belong to another list.
function layList(anew) {
  across = Math.max(1, Math.floor(sight.width / CELL.width));
  room.style.height = `${Math.ceil(view.rows.length / across) * CELL.height}px`;
  if (anew) {
    cells.forEach((cell) => cell.remove());
    cells.clear();
  }
  const first = Math.max(0, Math.floor(sight.top / CELL.height) - 2) * across;
  const last = Math.min(view.rows.length, (Math.ceil((sight.top + sight.height) / CELL.height) + 2) * across);
  for (const [place, cell] of cells) {
    if (place < first || place >= last) {
      cell.remove();
      cells.delete(place);
    }
  }
  for (let place = first; place < last; place += 1) {
    if (!cells.has(place)) {
      cells.set(place, makeCell(place));
      room.append(cells.get(place));
    }
  }
}

function showInList() {
  const above = Math.floor(view.at / across) * CELL.height;
  const below = above + CELL.height - sight.height;
  if (above < sight.top || below > sight.top) {
    sight.top = Math.max(0, above < sight.top ? above : below);
    layList(false); // before it scrolls there: the room must be high enough
    list.scrollTop = sight.top;
  } else layList(false);
  if (view.rows.length) list.setAttribute("aria-activedescendant", `place-${view.at}`);
  else list.removeAttribute("aria-activedescendant");
}

function measureList() {
  const before = across;
  Object.assign(sight, { width: list.clientWidth - 16, height: list.clientHeight, top: list.scrollTop });
  layList(Math.max(1, Math.floor(sight.width / CELL.width)) !== before);
}

list.addEventListener("scroll", () => {
  sight.top = list.scrollTop;
  layList(false);
}, { passive: true });
new ResizeObserver(measureList).observe(list);
